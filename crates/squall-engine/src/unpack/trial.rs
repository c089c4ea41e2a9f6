//! What the tests of the unpackers share: opening a container without a
//! scanner behind it, and damaging one in many ways.

use std::time::{Duration, Instant};

use squall_types::{Incomplete, IncompleteReason};

use super::{Budget, Member, Members, Trouble, UnpackLimits};

/// An unpacker.
pub(super) type Unpack = fn(&[u8], &mut Members<'_, '_>) -> Result<(), Trouble>;

/// What came out of a container.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub(super) members: Vec<(String, Vec<u8>)>,
    pub(super) incomplete: Vec<Incomplete>,
}

impl Opened {
    /// The members' names.
    pub(super) fn names(&self) -> Vec<&str> {
        self.members.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The bytes of the first member of this name.
    #[track_caller]
    pub(super) fn member(&self, name: &str) -> &[u8] {
        let found = self.members.iter().find(|(member, _)| member == name);
        match found {
            Some((_, content)) => content,
            None => panic!("no member `{name}` among {:?}", self.names()),
        }
    }

    /// Why something was not looked at.
    pub(super) fn reasons(&self) -> Vec<IncompleteReason> {
        self.incomplete.iter().map(|entry| entry.reason).collect()
    }
}

/// Opens a container with the default limits.
pub(super) fn open(unpack: Unpack, content: &[u8]) -> Opened {
    open_within(&UnpackLimits::default(), unpack, content)
}

/// Opens a container.
pub(super) fn open_within(limits: &UnpackLimits, unpack: Unpack, content: &[u8]) -> Opened {
    let mut opened = Opened::default();
    let mut budget = Budget::new(limits, content.len() as u64);
    let mut visit = |member: Member, _: &mut Budget<'_>| {
        opened.members.push((member.name, member.content));
    };
    let mut members = Members::new("sample", &mut budget, &mut visit);
    let ended = unpack(content, &mut members);
    opened.incomplete = members.end(ended);
    opened
}

/// Opens a container cut off at many places and with many bytes changed, to see
/// that it neither panics nor takes long.
#[track_caller]
pub(super) fn survives_damage(unpack: Unpack, content: &[u8]) {
    survives_damage_of(200, unpack, content);
}

/// The same at fewer places; for decoders that set up megabytes each time.
#[track_caller]
pub(super) fn survives_some_damage(unpack: Unpack, content: &[u8]) {
    survives_damage_of(20, unpack, content);
}

#[track_caller]
fn survives_damage_of(cuts: usize, unpack: Unpack, content: &[u8]) {
    const TIME_MAX: Duration = Duration::from_secs(5);
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for cut in 0..=cuts {
        let end = content.len() * cut / cuts;
        open(unpack, &content[..end]);
    }
    for round in 0..2 * cuts {
        let mut damaged = content.to_vec();
        for _ in 0..=round % 8 {
            let at = noise.below(damaged.len());
            if let Some(byte) = damaged.get_mut(at) {
                *byte = noise.byte();
            }
        }
        let started = Instant::now();
        open(unpack, &damaged);
        assert!(started.elapsed() < TIME_MAX, "round {round} took too long");
    }
}

/// Pseudo-random numbers, the same in every run.
pub(super) struct Noise(pub(super) u64);

impl Noise {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`; 0 if that is 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = (bound as u64).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[3]
    }
}
