//! RAR archives, versions 1.3 to 7.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io::{self, Cursor, Read, Write};
use std::rc::Rc;
use std::time::Instant;

use rars::{
    Archive, ArchiveMember, ArchiveReadOptions, ArchiveReader, Error, ErrorKind,
    ExtractionDecision, ExtractionErrorAction,
};
use squall_types::IncompleteReason;

use super::budget::LimitReached;
use super::decompress::MEMORY_MAX_KIB;
use super::{Guess, Members, Trouble};

/// The most headers, and the most bytes of them.
const HEADERS_MAX: u64 = 100_000;
const HEADER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Passes on every file of a RAR archive, trying the known passwords.
pub(crate) fn unpack(content: &[u8], members: &mut Members<'_, '_>) -> Result<(), Trouble> {
    let passwords = members.passwords().to_vec();
    let mut opened = None;
    for password in std::iter::once(None).chain(passwords.iter().map(Some)) {
        members.check_time()?;
        match ArchiveReader::read_with_options(content, options(password)) {
            Ok(archive) => {
                opened = Some((archive, password));
                break;
            }
            // Under a wrong password the headers look damaged.
            Err(error) if password.is_some() || asks_for_password(&error) => {}
            Err(error) => return Err(trouble(&error)),
        }
    }
    let Some((archive, header_password)) = opened else {
        return Err(Trouble::encrypted());
    };
    if archive.members().next().is_none() {
        // Nobody makes one of nothing; it was cut off before the first.
        return Err(Trouble::corrupt("the RAR archive has no members"));
    }
    let is_any_encrypted = archive.members().any(|member| member.meta.is_encrypted);
    let candidates: Vec<Option<&String>> = match header_password {
        Some(password) => vec![Some(password)],
        None if is_any_encrypted => passwords.iter().map(Some).chain([None]).collect(),
        None => vec![None],
    };
    let mut taken = 0;
    for password in candidates {
        members.check_time()?;
        let walk = Walk::new(members, taken, password.is_some());
        match extract(&archive, password, walk) {
            Attempt::Done(ended) => return ended,
            Attempt::Wrong { taken: so_far } => taken = so_far,
        }
    }
    Err(Trouble::encrypted())
}

fn options(password: Option<&String>) -> ArchiveReadOptions<'_> {
    let memory_max = u64::from(MEMORY_MAX_KIB) * 1024;
    ArchiveReadOptions::with_optional_password(password.map(|password| password.as_bytes()))
        .with_max_header_count(HEADERS_MAX)
        .with_max_header_bytes(HEADER_BYTES_MAX)
        .with_rar50_dictionary_size_limit(memory_max)
        .with_rar50_buffered_decode_limit(memory_max / 4)
        .with_max_reader_workspace_bytes(memory_max * 3)
}

enum Attempt {
    Done(Result<(), Trouble>),
    /// The password is not the one.
    Wrong {
        /// How many members need not be looked at again.
        taken: usize,
    },
}

/// Walks through the members once.
fn extract(archive: &Archive, password: Option<&String>, walk: Walk<'_, '_, '_>) -> Attempt {
    let walk = RefCell::new(walk);
    let extracted = archive.extract_with_control_and_errors(
        options(password),
        |member| Ok(walk.borrow_mut().decide(member)),
        |_, error| Ok(walk.borrow_mut().failed(error)),
    );
    let mut walk = walk.into_inner();
    match extracted {
        Ok(_) => walk.finish(None),
        // In a solid archive nothing can be read behind what is damaged.
        Err(error) => {
            walk.finish(Some(trouble(&error)));
            if walk.ended.is_ok() {
                walk.ended = Err(walk.behind_gap().unwrap_or_else(|| trouble(&error)));
            }
        }
    }
    match walk.guess {
        Guess::Wrong => Attempt::Wrong { taken: walk.taken },
        Guess::Open | Guess::Right => Attempt::Done(walk.ended),
    }
}

/// One walk through the members.
struct Walk<'a, 'm, 'limits> {
    members: &'a mut Members<'m, 'limits>,
    has_password: bool,
    guess: Guess,
    /// How many members were passed on or recorded, by this walk and before.
    taken: usize,
    /// How many members were come across.
    seen: usize,
    current: Option<Current>,
    sink: Sink,
    /// Whether the last member was cut off at a limit.
    is_last_cut: bool,
    /// Whether a part of a member is in another volume, over which the library
    /// ends.
    is_split: bool,
    ended: Result<(), Trouble>,
}

/// The member that is being unpacked.
struct Current {
    name: String,
    is_encrypted: bool,
}

impl<'a, 'm, 'limits> Walk<'a, 'm, 'limits> {
    fn new(members: &'a mut Members<'m, 'limits>, taken: usize, has_password: bool) -> Self {
        let sink = Sink::new(members);
        Self {
            members,
            has_password,
            guess: Guess::Open,
            taken,
            seen: 0,
            current: None,
            sink,
            is_last_cut: false,
            is_split: false,
            ended: Ok(()),
        }
    }

    fn decide(&mut self, member: &ArchiveMember) -> ExtractionDecision {
        self.finish(None);
        if self.ended.is_ok() {
            self.ended = self.members.check_time().map_err(Trouble::from);
        }
        if self.ended.is_err() {
            return ExtractionDecision::Stop;
        }
        let meta = &member.meta;
        if meta.is_directory || meta.is_redirection {
            return ExtractionDecision::Skip;
        }
        self.seen += 1;
        if self.seen <= self.taken {
            // Unpacked again, since in a solid archive the next depends on it.
            return self.passed_over();
        }
        let name = meta.name_lossy();
        if meta.is_split_before || meta.is_split_after {
            let what = "a part of it is in another volume".to_owned();
            self.members
                .record(&name, IncompleteReason::Truncated, what);
            self.is_split = true;
            self.taken = self.seen;
            return self.passed_over();
        }
        if meta.is_encrypted && !self.has_password {
            self.members.record_trouble(&name, Trouble::encrypted());
            self.taken = self.seen;
            return self.passed_over();
        }
        self.current = Some(Current {
            name,
            is_encrypted: meta.is_encrypted,
        });
        ExtractionDecision::Extract(Box::new(self.sink.clone()))
    }

    /// Why nothing is read any more, if the archive is not to blame: in a solid
    /// one the next member depends on the one that was cut off.
    fn behind_gap(&self) -> Option<Trouble> {
        let (reason, what) = if self.is_last_cut {
            (IncompleteReason::Limit, "over its limit")
        } else if self.is_split {
            (IncompleteReason::Truncated, "that is in two volumes")
        } else {
            return None;
        };
        Some(Trouble {
            reason,
            description: format!("what follows a member {what} is not looked at"),
        })
    }

    /// What to do with a member that is not wanted: it may not be skipped, since
    /// in a solid archive the next depends on it.
    fn passed_over(&self) -> ExtractionDecision {
        ExtractionDecision::Extract(Box::new(Discard(self.sink.clone())))
    }

    /// Tells whether to go on after a member that could not be unpacked.
    fn failed(&mut self, error: &Error) -> ExtractionErrorAction {
        self.finish(Some(trouble(error)));
        if self.ended.is_ok() && self.guess != Guess::Wrong {
            ExtractionErrorAction::Continue
        } else {
            ExtractionErrorAction::Abort
        }
    }

    /// Passes on the member that was being unpacked.
    fn finish(&mut self, trouble: Option<Trouble>) {
        let Some(current) = self.current.take() else {
            return;
        };
        let (content, reached) = self.sink.take();
        let is_guess = current.is_encrypted && self.guess == Guess::Open;
        if is_guess && trouble.is_some() && reached.is_none() {
            self.guess = Guess::Wrong;
            return;
        }
        if is_guess {
            self.guess = Guess::Right;
        }
        self.is_last_cut = reached.is_some();
        let ending = Ending(reached.or(trouble));
        self.taken = self.seen;
        self.ended = self.members.take(&current.name, content.chain(ending));
    }
}

/// Where the library writes a member to.
#[derive(Clone)]
struct Sink {
    state: Rc<RefCell<SinkState>>,
    len_max: u64,
    deadline: Instant,
    time_max_s: u64,
}

#[derive(Default)]
struct SinkState {
    content: Vec<u8>,
    reached: Option<Trouble>,
}

impl Sink {
    fn new(members: &Members<'_, '_>) -> Self {
        Self {
            state: Rc::default(),
            len_max: members.limits().member_bytes_max,
            deadline: members.deadline(),
            time_max_s: members.limits().time_max.as_secs(),
        }
    }

    /// What was written, and the limit that was reached.
    fn take(&self) -> (Cursor<Vec<u8>>, Option<Trouble>) {
        let state = self.state.take();
        (Cursor::new(state.content), state.reached)
    }
}

impl Sink {
    fn check_time(&self) -> Result<(), LimitReached> {
        if Instant::now() > self.deadline {
            return Err(LimitReached::Time(self.time_max_s));
        }
        Ok(())
    }
}

/// Takes what was passed on before, which may be a bomb: as long as there is
/// time.
struct Discard(Sink);

impl Write for Discard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.check_time() {
            Ok(()) => Ok(bytes.len()),
            Err(limit) => Err(io::Error::other(limit.to_string())),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state.borrow_mut();
        let len = (state.content.len() as u64).saturating_add(bytes.len() as u64);
        let reached = self
            .check_time()
            .err()
            .or_else(|| (len > self.len_max).then_some(LimitReached::MemberBytes(self.len_max)));
        if let Some(limit) = reached {
            let message = limit.to_string();
            state.reached = Some(limit.into());
            return Err(io::Error::other(message));
        }
        state.content.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Stands behind what could be unpacked of a member, and says why the rest
/// could not.
struct Ending(Option<Trouble>);

impl Read for Ending {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0
            .take()
            .map_or(Ok(0), |trouble| Err(io::Error::other(trouble)))
    }
}

fn asks_for_password(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PasswordRequired | ErrorKind::BadPassword
    )
}

fn trouble(error: &Error) -> Trouble {
    let reason = match error.kind() {
        ErrorKind::PasswordRequired | ErrorKind::BadPassword => IncompleteReason::Encrypted,
        ErrorKind::UnsupportedFormat | ErrorKind::UnsupportedFeature => {
            IncompleteReason::Unsupported
        }
        ErrorKind::ResourceLimit => IncompleteReason::Limit,
        ErrorKind::Cancelled => IncompleteReason::Timeout,
        _ => IncompleteReason::Corrupt,
    };
    Trouble {
        reason,
        description: format!("RAR archive: {error}"),
    }
}
