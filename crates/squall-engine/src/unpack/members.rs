//! Between an unpacker and what is done with the members it finds.

use std::io::{self, Read};
use std::time::Instant;

use squall_types::{Incomplete, IncompleteReason};

use super::budget::{Budget, LimitReached, ReadOutcome, Stopped, UnpackLimits};
use super::member_path;

/// A member of a container, read.
pub(crate) struct Member {
    /// Its name in the container; data from a stranger.
    pub(crate) name: String,
    /// Its bytes, or as many as could be read.
    pub(crate) content: Vec<u8>,
    /// Whether a limit cut it off, so that what is damaged or missing at its
    /// end says nothing about the file that was sent.
    pub(crate) is_part: bool,
}

/// Why a container could not be read to its end.
///
/// Also an error that a reader may give, wrapped in one of I/O, to say more
/// than that the data is damaged.
#[derive(Debug, thiserror::Error)]
#[error("{description}")]
pub(crate) struct Trouble {
    /// The category.
    pub(crate) reason: IncompleteReason,
    /// The same in words.
    pub(crate) description: String,
}

impl Trouble {
    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self {
            reason: IncompleteReason::Corrupt,
            description: what.to_string(),
        }
    }

    pub(crate) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self {
            reason: IncompleteReason::Unsupported,
            description: what.to_string(),
        }
    }

    pub(crate) fn encrypted() -> Self {
        Self {
            reason: IncompleteReason::Encrypted,
            description: "encrypted, and no known password opens it".to_owned(),
        }
    }

    /// Tells whether it is what a file looks like of which the end is missing.
    fn is_damage(&self) -> bool {
        matches!(
            self.reason,
            IncompleteReason::Corrupt | IncompleteReason::Truncated
        )
    }
}

/// What is known of a password that is tried: most formats tell a wrong one
/// only by data that is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// Nothing yet.
    Open,
    /// It opened something.
    Right,
    /// It is not the one.
    Wrong,
}

impl From<io::Error> for Trouble {
    /// What a decoder's error means: mostly that its input is damaged.
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(trouble) => trouble,
            Err(error) => Self {
                reason: match error.kind() {
                    io::ErrorKind::OutOfMemory => IncompleteReason::Limit,
                    io::ErrorKind::Unsupported => IncompleteReason::Unsupported,
                    _ => IncompleteReason::Corrupt,
                },
                description: error.to_string(),
            },
        }
    }
}

impl From<LimitReached> for Trouble {
    fn from(limit: LimitReached) -> Self {
        Self {
            reason: match limit {
                LimitReached::Time(_) => IncompleteReason::Timeout,
                _ => IncompleteReason::Limit,
            },
            description: limit.to_string(),
        }
    }
}

/// Where an unpacker brings the members.
pub(crate) struct Members<'a, 'limits> {
    pub(super) container: &'a str,
    pub(super) budget: &'a mut Budget<'limits>,
    pub(super) incomplete: Vec<Incomplete>,
    pub(super) visit: &'a mut dyn FnMut(Member, &mut Budget<'limits>),
    /// Whether a member is being looked at, so that what goes wrong is not the
    /// unpacker's.
    pub(super) is_visiting: bool,
    /// Whether a limit cut off the container itself.
    is_part: bool,
    /// How many troubles are not in the list.
    unlisted: usize,
}

/// The most troubles listed of one container; a damaged one may have one with
/// every member. Of those beyond, it is told how many there are.
const INCOMPLETE_MAX: usize = 100;

impl<'a, 'limits> Members<'a, 'limits> {
    pub(super) fn new(
        container: &'a str,
        budget: &'a mut Budget<'limits>,
        visit: &'a mut dyn FnMut(Member, &mut Budget<'limits>),
    ) -> Self {
        Self {
            container,
            budget,
            incomplete: Vec::new(),
            visit,
            is_visiting: false,
            is_part: false,
            unlisted: 0,
        }
    }

    /// The same, of a container that a limit cut off.
    pub(super) fn of_part(self) -> Self {
        Self {
            is_part: true,
            ..self
        }
    }

    /// Ends the container, and returns all that could not be looked at.
    pub(super) fn end(mut self, ended: Result<(), Trouble>) -> Vec<Incomplete> {
        if self.unlisted > 0 {
            self.incomplete.push(Incomplete {
                path: self.container.to_owned(),
                reason: IncompleteReason::Limit,
                description: format!(
                    "{} more places in it were not looked at completely",
                    self.unlisted
                ),
            });
        }
        // That a container was cut off is known already.
        if let Err(trouble) = ended
            && !(self.is_part && trouble.is_damage())
        {
            self.incomplete.push(Incomplete {
                path: self.container.to_owned(),
                reason: trouble.reason,
                description: trouble.description,
            });
        }
        self.incomplete
    }

    /// Reads a member and passes it on.
    ///
    /// # Errors
    ///
    /// Returns the trouble that ends the whole container: a limit that is
    /// used up. Damage of this one member is recorded, and what could be read
    /// is passed on.
    pub(crate) fn take(&mut self, name: &str, reader: impl Read) -> Result<(), Trouble> {
        self.budget.take_member()?;
        let outcome = self.budget.read(reader);
        self.deliver(name, outcome)
    }

    /// Reads a member whose password is a guess, without passing it on. A wrong
    /// one shows as damage.
    pub(crate) fn read_aside(&mut self, reader: impl Read) -> ReadOutcome {
        self.budget.read(reader)
    }

    /// Passes on a member that was read aside.
    ///
    /// # Errors
    ///
    /// As [`Members::take`].
    pub(crate) fn pass_on(&mut self, name: &str, outcome: ReadOutcome) -> Result<(), Trouble> {
        self.budget.take_member()?;
        self.deliver(name, outcome)
    }

    fn deliver(&mut self, name: &str, outcome: ReadOutcome) -> Result<(), Trouble> {
        let is_part = match outcome.stopped {
            None => false,
            Some(Stopped::Damaged(_)) => self.is_part,
            Some(Stopped::Limit(_)) => true,
        };
        let ending = match outcome.stopped {
            None => None,
            Some(Stopped::Damaged(error)) => {
                self.record_trouble(name, Trouble::from(error));
                None
            }
            // The next member may be small.
            Some(Stopped::Limit(limit @ LimitReached::MemberBytes(_))) => {
                self.record_trouble(name, limit.into());
                None
            }
            Some(Stopped::Limit(limit)) => Some(Trouble::from(limit)),
        };
        self.visit(Member {
            name: name.to_owned(),
            content: outcome.content,
            is_part,
        });
        ending.map_or(Ok(()), Err)
    }

    fn visit(&mut self, member: Member) {
        self.is_visiting = true;
        (self.visit)(member, self.budget);
        self.is_visiting = false;
    }

    /// The path of the container.
    pub(crate) fn container(&self) -> &str {
        self.container
    }

    /// Tells whether there is time left; for loops that read no member.
    pub(crate) fn check_time(&self) -> Result<(), LimitReached> {
        self.budget.check_time()
    }

    /// When the time is used up; for libraries that cannot be asked in between.
    pub(crate) fn deadline(&self) -> Instant {
        self.budget.deadline()
    }

    /// The limits.
    pub(crate) fn limits(&self) -> &UnpackLimits {
        self.budget.limits()
    }

    /// Reads over `len` bytes that are of no interest.
    ///
    /// # Errors
    ///
    /// Returns that there are fewer, or that there is no time left.
    pub(crate) fn skip(&self, mut reader: impl Read, len: u64) -> Result<(), Trouble> {
        let mut chunk = [0; 16 * 1024];
        let mut left = len;
        while left > 0 {
            self.check_time()?;
            let wanted = usize::try_from(left).map_or(chunk.len(), |left| left.min(chunk.len()));
            match reader.read(&mut chunk[..wanted]) {
                Ok(0) => return Err(Trouble::corrupt(format!("{left} bytes are missing"))),
                Ok(count) => left -= count as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Records a member that cannot be read.
    pub(crate) fn record(&mut self, name: &str, reason: IncompleteReason, description: String) {
        self.record_trouble(
            name,
            Trouble {
                reason,
                description,
            },
        );
    }

    /// The same, with the trouble at hand.
    pub(crate) fn record_trouble(&mut self, name: &str, trouble: Trouble) {
        if self.incomplete.len() >= INCOMPLETE_MAX {
            self.unlisted += 1;
            return;
        }
        let trouble = if self.is_part && trouble.is_damage() {
            Trouble {
                reason: IncompleteReason::Limit,
                description: format!(
                    "its container was unpacked only in part: {}",
                    trouble.description
                ),
            }
        } else {
            trouble
        };
        self.incomplete.push(Incomplete {
            path: member_path(self.container, name),
            reason: trouble.reason,
            description: trouble.description,
        });
    }

    /// The passwords to try.
    pub(crate) fn passwords(&self) -> &[String] {
        &self.budget.limits().passwords
    }
}
