//! Who a user of this machine is: numbers for the names of a setting.
//!
//! Read from `/etc/passwd` and `/etc/group` directly. What else may know users,
//! directories on the network for instance, is reached through plug-ins of the C
//! library alone; a service's user had better not depend on a network, and who
//! wants to can name the numbers.

use std::fmt;
use std::fs;

use anyhow::Context as _;

use crate::config::Account;

const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

/// The number of the user who may do everything.
pub(super) const ROOT: u32 = 0;

/// A user with all the groups that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// What the user is called, or the number.
    pub(crate) user: String,
    pub(crate) uid: u32,
    /// What the group is called, or the number.
    pub(crate) group: String,
    pub(crate) gid: u32,
    /// Numbers of all groups, the one above among them.
    pub(crate) groups: Vec<u32>,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            user,
            uid,
            group,
            gid,
            groups,
        } = self;
        write!(f, "user {user} (uid {uid}), group {group} (gid {gid})")?;
        let others: Vec<_> = groups.iter().filter(|other| *other != gid).collect();
        if others.is_empty() {
            return Ok(());
        }
        let others: Vec<_> = others.into_iter().map(ToString::to_string).collect();
        write!(f, ", groups {}", others.join(" "))
    }
}

impl Identity {
    /// Finds out who is meant.
    ///
    /// # Errors
    ///
    /// Fails if there is no such user or group, if it is root, or if a number
    /// without a name has no group.
    pub(crate) fn of(account: &Account) -> anyhow::Result<Self> {
        let read = |path: &str| {
            let text = fs::read(path).with_context(|| format!("cannot read `{path}`"))?;
            Ok::<_, anyhow::Error>(String::from_utf8_lossy(&text).into_owned())
        };
        Databases {
            users: &read(USERS)?,
            groups: &read(GROUPS)?,
        }
        .find(account)
    }

    /// Returns what `chown` takes.
    pub(super) fn owner(&self) -> String {
        format!("{}:{}", self.user, self.group)
    }
}

/// What the files say.
struct Databases<'a> {
    /// Lines `name:password:uid:gid:…`.
    users: &'a str,
    /// Lines `name:password:gid:member,member`.
    groups: &'a str,
}

impl Databases<'_> {
    fn find(&self, account: &Account) -> anyhow::Result<Identity> {
        let user = self.user(&account.user)?;
        let (group, gid) = match (&account.group, user.gid) {
            (Some(group), _) => self.group(group)?,
            (None, Some(gid)) => (self.group_name(gid), gid),
            (None, None) => anyhow::bail!(
                "user {} has no entry in `{USERS}`, so that its group is not known: name it as \
                 well, as {}:GROUP",
                user.uid,
                user.uid
            ),
        };
        anyhow::ensure!(
            user.uid != ROOT,
            "user `{}` is root, who has every right there is: name another",
            account.user
        );
        let mut groups = vec![gid];
        groups.extend(self.memberships(&user.name));
        groups.sort_unstable();
        groups.dedup();
        Ok(Identity {
            user: user.name,
            uid: user.uid,
            group,
            gid,
            groups,
        })
    }

    fn user(&self, wanted: &str) -> anyhow::Result<User> {
        let users = || self.users.lines().filter_map(User::parse);
        // Nothing keeps anybody from having a number for a name.
        if let Some(user) = users().find(|user| user.name == wanted) {
            return Ok(user);
        }
        let uid: u32 =
            number(wanted).with_context(|| format!("there is no user `{wanted}` in `{USERS}`"))?;
        Ok(users().find(|user| user.uid == uid).unwrap_or(User {
            name: uid.to_string(),
            uid,
            gid: None,
        }))
    }

    fn group(&self, wanted: &str) -> anyhow::Result<(String, u32)> {
        let found = self.group_lines().find(|(name, ..)| *name == wanted);
        if let Some((name, gid, _)) = found {
            return Ok((name.to_owned(), gid));
        }
        let gid = number(wanted)
            .with_context(|| format!("there is no group `{wanted}` in `{GROUPS}`"))?;
        Ok((self.group_name(gid), gid))
    }

    fn group_name(&self, gid: u32) -> String {
        let found = self.group_lines().find(|(_, number, _)| *number == gid);
        found.map_or_else(|| gid.to_string(), |(name, ..)| name.to_owned())
    }

    /// Returns the groups that name a user as a member.
    fn memberships(&self, user: &str) -> impl Iterator<Item = u32> {
        self.group_lines()
            .filter(move |(_, _, members)| members.split(',').any(|member| member == user))
            .map(|(_, gid, _)| gid)
    }

    fn group_lines(&self) -> impl Iterator<Item = (&str, u32, &str)> {
        self.groups.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let (name, _, gid) = (fields.next()?, fields.next()?, fields.next()?);
            Some((name, gid.parse().ok()?, fields.next()?))
        })
    }
}

/// A line of the users' file.
struct User {
    name: String,
    uid: u32,
    gid: Option<u32>,
}

impl User {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, _, uid) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self {
            name: name.to_owned(),
            uid: uid.parse().ok()?,
            gid: Some(fields.next()?.parse().ok()?),
        })
    }
}

/// Reads the number of a user or group. The highest stands for "no change" in
/// system calls.
fn number(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| text.parse().ok()).flatten();
    number.filter(|number| *number != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: Databases<'_> = Databases {
        users: "root:x:0:0:root:/root:/bin/sh\n\
                squall:x:998:997::/var/lib/squall:/usr/sbin/nologin\n\
                broken:x:1\n\
                77:x:1077:1077::/:/bin/sh\n",
        groups: "root:x:0:\nadm:x:4:syslog,squall\nsquall:x:997:\nssl-cert:x:110:squall\n\
                 squallers:x:5:squallx,xsquall\nbroken\n",
    };

    fn find(text: &str) -> anyhow::Result<Identity> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group.to_owned())),
            None => (text, None),
        };
        FILES.find(&Account {
            user: user.to_owned(),
            group,
        })
    }

    fn found(text: &str) -> String {
        find(text).map_or_else(|error| format!("{error:#}"), |found| found.to_string())
    }

    #[test]
    fn a_user_has_its_groups() {
        for (wanted, expected) in [
            (
                "squall",
                "user squall (uid 998), group squall (gid 997), groups 4 110",
            ),
            (
                "998",
                "user squall (uid 998), group squall (gid 997), groups 4 110",
            ),
            (
                "squall:adm",
                "user squall (uid 998), group adm (gid 4), groups 110",
            ),
            (
                "squall:4711",
                "user squall (uid 998), group 4711 (gid 4711), groups 4 110",
            ),
            ("4711:adm", "user 4711 (uid 4711), group adm (gid 4)"),
            ("77", "user 77 (uid 1077), group 1077 (gid 1077)"),
        ] {
            assert_eq!(found(wanted), expected, "{wanted}");
        }
    }

    #[test]
    fn whoever_is_not_there_or_is_root_is_nobody_to_become() {
        for (wanted, expected) in [
            ("nobodyatall", "no user `nobodyatall`"),
            ("broken", "no user `broken`"),
            ("squall:none", "no group `none`"),
            ("4711", "name it as well, as 4711:GROUP"),
            ("root", "user `root` is root"),
            ("0:adm", "user `0` is root"),
            ("4294967295:adm", "no user `4294967295`"),
        ] {
            let told = found(wanted);
            assert!(told.contains(expected), "{wanted}: {told}");
        }
    }
}
