//! Finding the members: by the directory at the end, and by the headers in
//! whatever the directory does not account for.

use memchr::memmem;

use super::super::Trouble;
use super::super::budget::LimitReached;
use super::super::fields::{len32_at, u16_at, u64_at};
use super::entry::{CENTRAL, Entry, LOCAL};

const END: &[u8] = b"PK\x05\x06";
const END_LEN: usize = 22;
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR64: &[u8] = b"PK\x06\x07";
const LOCATOR64_LEN: usize = 20;

/// The most members looked for, since a list of them is made before any is
/// read. The budget stops before, unless most are directories.
const ENTRIES_MAX: usize = 200_000;

/// The highest version of the format that a header may ask for.
const VERSION_MAX: u8 = 63;

/// Returns the archive that ends where the content does, whatever is before it.
pub(in crate::unpack) fn at_end(content: &[u8]) -> Option<&[u8]> {
    ends(content).find_map(|(at, end)| {
        let comment_len = u16_at(content, at + END_LEN - 2).map(usize::from);
        let is_last = comment_len == Some(content.len() - at - END_LEN);
        is_last.then(|| end.archive(content))
    })
}

/// The same with something behind it that no comment of the archive accounts
/// for, as tools put up with.
pub(in crate::unpack) fn near_end(content: &[u8]) -> Option<&[u8]> {
    ends(content).next().map(|(_, end)| end.archive(content))
}

/// The ends of archives in the last bytes, as far back as one with a comment may
/// begin; of those the last, as nobody looks for others.
fn ends(content: &[u8]) -> impl Iterator<Item = (usize, End)> {
    const COMMENT_MAX: usize = u16::MAX as usize;
    const ENDS_MAX: usize = 4;
    let tail_at = content.len().saturating_sub(END_LEN + COMMENT_MAX);
    memmem::rfind_iter(&content[tail_at..], END)
        .map(move |at| tail_at + at)
        .filter(|at| content.len() - at >= END_LEN)
        .take(ENDS_MAX)
        .filter_map(|at| {
            let end = End::read64(content, at).or_else(|| End::read(content, at))?;
            let is_last_volume = u16_at(content, at + 4) != Some(0);
            let is_one = end.holds_any(content, is_last_volume);
            is_one.then_some((at, end))
        })
}

/// The members of an archive.
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    /// What is wrong with the archive as a whole.
    pub(super) damage: Option<Trouble>,
}

/// Finds the members.
///
/// # Errors
///
/// Returns the limit of time.
pub(super) fn read(
    content: &[u8],
    check_time: &dyn Fn() -> Result<(), LimitReached>,
) -> Result<Listing, Trouble> {
    let mut damage = None;
    let mut entries = Vec::new();
    let mut covered = Vec::new();
    match End::find(content) {
        Some(end) => {
            let listed = end.entries(content, check_time)?;
            if !listed.is_whole {
                damage = Some(Trouble::corrupt(
                    "the directory of the zip archive is damaged",
                ));
            }
            entries = listed.entries;
            covered.push((listed.start, listed.end));
        }
        None => damage = Some(Trouble::corrupt("the zip archive has no directory")),
    }
    for entry in &entries {
        covered.push((entry.local, entry.end(content).unwrap_or(entry.local)));
    }
    entries.extend(hidden(content, covered, check_time)?);
    if entries.len() >= ENTRIES_MAX {
        let limit = u32::try_from(ENTRIES_MAX).unwrap_or(u32::MAX);
        damage = Some(LimitReached::Members(limit).into());
    }
    Ok(Listing { entries, damage })
}

/// The end of an archive, which tells where the directory is.
struct End {
    /// Where the directory is, as declared and from the end.
    starts: [Option<usize>; 2],
    /// How far everything is from where the archive says, because something
    /// was put before it.
    shift: usize,
    /// How many members it declares.
    count: u64,
    at: usize,
}

struct Listed {
    entries: Vec<Entry>,
    start: usize,
    end: usize,
    is_whole: bool,
}

impl End {
    /// Finds the last end.
    fn find(content: &[u8]) -> Option<Self> {
        memmem::rfind_iter(content, END)
            .filter(|at| content.len() - at >= END_LEN)
            .find_map(|at| Self::read64(content, at).or_else(|| Self::read(content, at)))
    }

    fn read(content: &[u8], at: usize) -> Option<Self> {
        let count = u64::from(u16_at(content, at + 10)?);
        let len = len32_at(content, at + 12)?;
        let declared = len32_at(content, at + 16)?;
        Some(Self::new(at, declared, at.checked_sub(len), count))
    }

    /// The end of a large archive is told by a locator before the common end.
    fn read64(content: &[u8], common: usize) -> Option<Self> {
        let locator = common.checked_sub(LOCATOR64_LEN)?;
        if !content[locator..].starts_with(LOCATOR64) {
            return None;
        }
        let declared = usize::try_from(u64_at(content, locator + 8)?).ok()?;
        let at = if content.get(declared..)?.starts_with(END64) {
            declared
        } else {
            memmem::rfind(&content[..locator], END64)?
        };
        let count = u64_at(content, at + 32)?;
        let len = usize::try_from(u64_at(content, at + 40)?).ok()?;
        let declared = usize::try_from(u64_at(content, at + 48)?).ok()?;
        Some(Self::new(at, declared, at.checked_sub(len), count))
    }

    fn new(at: usize, declared: usize, counted: Option<usize>, count: u64) -> Self {
        let shift = counted.map_or(0, |counted| counted.saturating_sub(declared));
        Self {
            starts: [counted, Some(declared)],
            shift,
            count,
            at,
        }
    }

    /// Tells whether there is a directory where one should be, and in it a member
    /// that is where it should be: in a data base or a capture of packets the
    /// end of an archive can be whole, and the rest in pieces. The members of the
    /// last volume may all be in others.
    fn holds_any(&self, content: &[u8], is_last_volume: bool) -> bool {
        let starts = |at: usize, mark| content.get(at..).is_some_and(|c| c.starts_with(mark));
        let mut directories = self.starts.into_iter().flatten();
        let Some(mut at) = directories.find(|at| starts(*at, CENTRAL)) else {
            return false;
        };
        let mut holds_any = is_last_volume;
        for _ in 0..ENTRIES_MAX {
            let Some((entry, next)) = Entry::central(content, at).filter(|_| !holds_any) else {
                break;
            };
            let shifted = entry.local.saturating_add(self.shift);
            holds_any = starts(shifted, LOCAL) || starts(entry.local, LOCAL);
            at = next;
        }
        holds_any
    }

    /// Returns the content without what was put before the archive: that may be
    /// an archive too, which is opened by itself.
    fn archive<'a>(&self, content: &'a [u8]) -> &'a [u8] {
        let archive = content.get(self.shift..);
        archive
            .filter(|it| it.starts_with(LOCAL))
            .unwrap_or(content)
    }

    /// Reads the directory.
    fn entries(
        &self,
        content: &[u8],
        check_time: &dyn Fn() -> Result<(), LimitReached>,
    ) -> Result<Listed, Trouble> {
        let starts_here = |at: &usize| content.get(*at..).is_some_and(|c| c.starts_with(CENTRAL));
        let counted = self.starts[0].filter(starts_here);
        let (start, shift) = match (counted, self.starts[1].filter(starts_here)) {
            (Some(start), _) => (start, self.shift),
            (None, Some(start)) => (start, 0),
            (None, None) => (self.at, 0),
        };
        let mut listed = Listed {
            entries: Vec::new(),
            start,
            end: start,
            is_whole: true,
        };
        while listed.entries.len() < ENTRIES_MAX
            && let Some((mut entry, next)) = Entry::central(content, listed.end)
        {
            check_time()?;
            let shifted = entry.local.saturating_add(shift);
            if content.get(shifted..).is_some_and(|c| c.starts_with(LOCAL)) {
                entry.local = shifted;
            }
            listed.entries.push(entry);
            listed.end = next;
        }
        // The count of a common end wraps around.
        let counted = listed.entries.len() as u64;
        listed.is_whole = counted & 0xffff == self.count & 0xffff;
        Ok(listed)
    }
}

/// Finds members by their headers in what is not `covered`.
fn hidden(
    content: &[u8],
    mut covered: Vec<(usize, usize)>,
    check_time: &dyn Fn() -> Result<(), LimitReached>,
) -> Result<Vec<Entry>, Trouble> {
    covered.sort_unstable();
    let mut entries = Vec::new();
    let mut at = 0;
    for (start, end) in covered
        .into_iter()
        .chain(std::iter::once((content.len(), content.len())))
    {
        // What a damaged header declares may be beyond the end.
        let start = start.min(content.len());
        while at < start {
            check_time()?;
            let found = memmem::find(&content[at..start], LOCAL);
            let Some(found) = found else {
                break;
            };
            at += found;
            match Entry::local(content, at).filter(|entry| is_likely(content, at, entry)) {
                Some(entry) => {
                    let data = entry.data.unwrap_or(at);
                    at = entry.end(content).unwrap_or(data).max(at + LOCAL.len());
                    entries.push(entry);
                }
                None => at += LOCAL.len(),
            }
            if entries.len() >= ENTRIES_MAX {
                return Ok(entries);
            }
        }
        at = at.max(end);
    }
    Ok(entries)
}

/// Tells whether what looks like a header is one: programs that make archives
/// carry the mark in their code.
fn is_likely(content: &[u8], at: usize, entry: &Entry) -> bool {
    let version = content.get(at + 4).copied().unwrap_or(u8::MAX);
    version <= VERSION_MAX
        && matches!(entry.method, 0..=20 | 93..=99)
        && !entry.name.is_empty()
        && !entry.name.chars().any(char::is_control)
}
