//! Lines about refused callers in the service's log: one a second of each
//! address, so that whoever floods it hides nobody else.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use squall_access::site;

/// A line about an address is written at most this often.
const INTERVAL: Duration = Duration::from_secs(1);
/// Most addresses that have lines of their own within that time; all others
/// share one.
const SITES_MAX: usize = 64;
/// Most of those others that are told apart.
const OTHERS_MAX: usize = 4096;

/// Lets lines through, and counts those that it does not.
#[derive(Debug, Default)]
pub(super) struct RefusalLog(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    sites: HashMap<IpAddr, Site>,
    others: Others,
}

#[derive(Debug)]
struct Site {
    last: Instant,
    suppressed: u64,
}

#[derive(Debug, Default)]
struct Others {
    last: Option<Instant>,
    suppressed: u64,
    sites: HashSet<IpAddr>,
}

/// How many lines were left out since the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Suppressed {
    lines: u64,
    /// How many other addresses they are about; 0 if they are about this one.
    others: usize,
}

impl fmt::Display for Suppressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, others } = *self;
        write!(f, "{lines}")?;
        match others {
            0 => Ok(()),
            OTHERS_MAX => write!(f, " of {OTHERS_MAX} addresses or more"),
            _ => write!(f, " of {others} addresses"),
        }
    }
}

impl RefusalLog {
    /// Returns how many lines were left out if one about `from` may be written
    /// now.
    pub(super) fn admit(&self, from: IpAddr) -> Option<Suppressed> {
        self.admit_at(from, Instant::now())
    }

    fn admit_at(&self, from: IpAddr, now: Instant) -> Option<Suppressed> {
        let site = site(from);
        let mut state = crate::lock(&self.0);
        if !state.sites.contains_key(&site) && state.sites.len() >= SITES_MAX {
            state.make_room(now);
            if state.sites.len() >= SITES_MAX {
                return state.others.admit(site, now);
            }
        }
        let Some(own) = state.sites.get_mut(&site) else {
            let suppressed = 0;
            let last = now;
            state.sites.insert(site, Site { last, suppressed });
            return Some(Suppressed::default());
        };
        if now - own.last < INTERVAL {
            own.suppressed += 1;
            return None;
        }
        own.last = now;
        Some(Suppressed {
            lines: std::mem::take(&mut own.suppressed),
            others: 0,
        })
    }
}

impl State {
    /// Forgets addresses that were quiet for a while; what was left out of them
    /// is told with the others.
    fn make_room(&mut self, now: Instant) {
        let others = &mut self.others;
        self.sites.retain(|&site, Site { last, suppressed }| {
            let is_quiet = now - *last >= INTERVAL;
            if is_quiet && *suppressed > 0 {
                others.count(site, *suppressed);
            }
            !is_quiet
        });
    }
}

impl Others {
    fn admit(&mut self, site: IpAddr, now: Instant) -> Option<Suppressed> {
        if self.last.is_some_and(|last| now - last < INTERVAL) {
            self.count(site, 1);
            return None;
        }
        self.last = Some(now);
        Some(Suppressed {
            lines: std::mem::take(&mut self.suppressed),
            others: std::mem::take(&mut self.sites).len(),
        })
    }

    fn count(&mut self, site: IpAddr, lines: u64) {
        self.suppressed += lines;
        if self.sites.len() < OTHERS_MAX {
            self.sites.insert(site);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: usize) -> IpAddr {
        IpAddr::from(u32::try_from(number).unwrap().to_be_bytes())
    }

    #[test]
    fn a_flood_from_one_address_hides_no_other() {
        let log = RefusalLog::default();
        let now = Instant::now();
        let told = |from, now| log.admit_at(from, now).map(|told| told.to_string());
        assert_eq!(told(address(1), now).as_deref(), Some("0"));
        for _ in 0..1000 {
            assert_eq!(told(address(1), now), None);
        }
        assert_eq!(told(address(2), now).as_deref(), Some("0"));
        let later = now + INTERVAL;
        assert_eq!(told(address(1), later).as_deref(), Some("1000"));
        assert_eq!(told(address(2), later).as_deref(), Some("0"));
        // Whoever has one IPv6 address has very many.
        let same = |host: &str| format!("2001:db8::{host}").parse().unwrap();
        assert_eq!(told(same("1"), later).as_deref(), Some("0"));
        assert_eq!(told(same("2"), later), None);
    }

    #[test]
    fn a_flood_from_everywhere_is_bounded_and_told() {
        let log = RefusalLog::default();
        let now = Instant::now();
        let round = |now| {
            let all = (0..2 * OTHERS_MAX).map(address);
            all.filter_map(|from| log.admit_at(from, now)).count()
        };
        assert_eq!(round(now), SITES_MAX + 1);
        assert_eq!(round(now), 0);
        let state = crate::lock(&log.0);
        assert_eq!(
            (state.sites.len(), state.others.sites.len()),
            (SITES_MAX, OTHERS_MAX)
        );
        drop(state);
        // Those with lines of their own are there again first.
        let later = now + INTERVAL;
        for number in 0..SITES_MAX {
            let told = log.admit_at(address(number), later).unwrap();
            assert_eq!(told.to_string(), "1");
        }
        let told = log.admit_at(address(SITES_MAX), later).unwrap();
        let left_out = 2 * (2 * OTHERS_MAX - SITES_MAX) - 1;
        assert_eq!(
            told.to_string(),
            format!("{left_out} of 4096 addresses or more")
        );
        assert_eq!(log.admit_at(address(SITES_MAX), later), None);
        let told = log.admit_at(address(5000), later + INTERVAL).unwrap();
        assert_eq!(told.to_string(), "0", "there is room again");
    }
}
