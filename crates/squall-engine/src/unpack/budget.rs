//! What unpacking one sample may cost.
//!
//! Nothing here trusts a header: sizes and counts are those of what was really
//! read.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// The limits of unpacking one sample, all levels together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpackLimits {
    /// How many archives deep; 0 unpacks nothing.
    pub depth_max: u32,
    /// How many members.
    pub members_max: u32,
    /// How many unpacked bytes.
    pub bytes_max: u64,
    /// How many bytes of one member.
    pub member_bytes_max: u64,
    /// How many unpacked bytes for each byte of the sample, once more than
    /// 64 MiB were unpacked.
    pub ratio_max: u64,
    /// How long unpacking and scanning the members may take.
    pub time_max: Duration,
    /// Passwords tried on encrypted members, in this order.
    pub passwords: Vec<String>,
}

/// Below this many unpacked bytes the ratio does not matter: small files of
/// zeros are harmless.
const RATIO_FREE_BYTES: u64 = 64 * 1024 * 1024;

impl Default for UnpackLimits {
    fn default() -> Self {
        Self {
            depth_max: 4,
            members_max: 10_000,
            bytes_max: 1024 * 1024 * 1024,
            member_bytes_max: 200 * 1000 * 1000,
            ratio_max: 250,
            time_max: Duration::from_secs(120),
            passwords: ["infected", "virus", "malware", "password", "infected666"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}

/// Which limit was reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LimitReached {
    /// Too many members.
    #[error("more than {0} members")]
    Members(u32),
    /// Too many bytes in all.
    #[error("more than {0} bytes unpacked")]
    Bytes(u64),
    /// Too many bytes in one member.
    #[error("a member of more than {0} bytes")]
    MemberBytes(u64),
    /// Unpacks to far more than it is.
    #[error("unpacks to more than {0} times its size")]
    Ratio(u64),
    /// Archives too deep in each other.
    #[error("archives more than {0} deep")]
    Depth(u32),
    /// Took too long.
    #[error("unpacking took longer than {0} s")]
    Time(u64),
}

/// What is left of the limits for one sample.
pub(crate) struct Budget<'a> {
    limits: &'a UnpackLimits,
    sample_bytes: u64,
    members: u32,
    bytes: u64,
    started: Instant,
}

impl<'a> Budget<'a> {
    pub(crate) fn new(limits: &'a UnpackLimits, sample_bytes: u64) -> Self {
        Self {
            limits,
            sample_bytes,
            members: 0,
            bytes: 0,
            started: Instant::now(),
        }
    }

    pub(crate) fn limits(&self) -> &'a UnpackLimits {
        self.limits
    }

    /// Counts a member.
    pub(crate) fn take_member(&mut self) -> Result<(), LimitReached> {
        if self.members == self.limits.members_max {
            return Err(LimitReached::Members(self.limits.members_max));
        }
        self.members += 1;
        self.check_time()
    }

    /// Tells whether there is time left.
    pub(crate) fn check_time(&self) -> Result<(), LimitReached> {
        if self.started.elapsed() > self.limits.time_max {
            return Err(LimitReached::Time(self.limits.time_max.as_secs()));
        }
        Ok(())
    }

    /// When the time is used up.
    pub(crate) fn deadline(&self) -> Instant {
        self.started
            .checked_add(self.limits.time_max)
            .unwrap_or(self.started)
    }

    /// Counts unpacked bytes.
    fn take_bytes(&mut self, count: u64) -> Result<(), LimitReached> {
        self.bytes = self.bytes.saturating_add(count);
        if self.bytes > self.limits.bytes_max {
            return Err(LimitReached::Bytes(self.limits.bytes_max));
        }
        let allowed = self.sample_bytes.saturating_mul(self.limits.ratio_max);
        if self.bytes > allowed.max(RATIO_FREE_BYTES) {
            return Err(LimitReached::Ratio(self.limits.ratio_max));
        }
        self.check_time()
    }

    /// Reads `reader` to its end, or until a limit is reached.
    pub(crate) fn read(&mut self, mut reader: impl Read) -> ReadOutcome {
        let mut content = Vec::new();
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let count = match reader.read(&mut chunk) {
                Ok(0) => {
                    return ReadOutcome {
                        content,
                        stopped: None,
                    };
                }
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return ReadOutcome {
                        content,
                        stopped: Some(Stopped::Damaged(error)),
                    };
                }
            };
            let too_long = content.len() as u64 + count as u64 > self.limits.member_bytes_max;
            let reached = if too_long {
                Some(LimitReached::MemberBytes(self.limits.member_bytes_max))
            } else {
                self.take_bytes(count as u64).err()
            };
            if let Some(limit) = reached {
                return ReadOutcome {
                    content,
                    stopped: Some(Stopped::Limit(limit)),
                };
            }
            content.extend_from_slice(&chunk[..count]);
        }
    }
}

/// What reading a member gave.
pub(crate) struct ReadOutcome {
    /// What could be read; everything, if it was not stopped.
    pub(crate) content: Vec<u8>,
    /// Why the rest could not.
    pub(crate) stopped: Option<Stopped>,
}

/// Why reading a member stopped before its end.
pub(crate) enum Stopped {
    /// The data is damaged.
    Damaged(io::Error),
    /// A limit was reached.
    Limit(LimitReached),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> UnpackLimits {
        UnpackLimits {
            members_max: 2,
            bytes_max: 100 * 1024 * 1024,
            member_bytes_max: 1000,
            ..UnpackLimits::default()
        }
    }

    #[test]
    fn a_member_without_end_stops_at_its_limit() {
        let limits = limits();
        let outcome = Budget::new(&limits, 10).read(io::repeat(0));
        assert!(outcome.content.len() <= 1000);
        assert!(matches!(
            outcome.stopped,
            Some(Stopped::Limit(LimitReached::MemberBytes(1000)))
        ));
    }

    #[test]
    fn the_ratio_is_that_of_all_members() {
        let limits = UnpackLimits {
            member_bytes_max: u64::MAX,
            ..limits()
        };
        let outcome = Budget::new(&limits, 10).read(io::repeat(0));
        assert!(matches!(
            outcome.stopped,
            Some(Stopped::Limit(LimitReached::Ratio(_)))
        ));
        assert!(outcome.content.len() as u64 <= RATIO_FREE_BYTES);
    }

    #[test]
    fn members_are_counted() {
        let limits = limits();
        let mut budget = Budget::new(&limits, 10);
        assert_eq!(budget.take_member(), Ok(()));
        assert_eq!(budget.take_member(), Ok(()));
        assert_eq!(budget.take_member(), Err(LimitReached::Members(2)));
    }

    #[test]
    fn time_is_a_limit() {
        let limits = UnpackLimits {
            time_max: Duration::ZERO,
            ..limits()
        };
        let budget = Budget::new(&limits, 10);
        std::thread::sleep(Duration::from_millis(2));
        assert!(budget.check_time().is_err());
    }

    #[test]
    fn what_could_be_read_of_damaged_data_is_kept() {
        struct Torn(bool);
        impl Read for Torn {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if self.0 {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                self.0 = true;
                buffer[..3].copy_from_slice(b"abc");
                Ok(3)
            }
        }
        let limits = limits();
        let outcome = Budget::new(&limits, 10).read(Torn(false));
        assert_eq!(outcome.content, b"abc");
        assert!(matches!(outcome.stopped, Some(Stopped::Damaged(_))));
    }
}
