//! What lists say about their indicators, each text kept once.
//!
//! Ten million hashes share a few thousand comments. An indicator holds the
//! number of a note; a note is a piece of one long string, a score and an
//! origin. The memory for notes is bounded: past the bound an indicator keeps
//! its score and names only its list.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use squall_types::{Match, SignatureKind, SignatureOrigin};

use super::lines;

/// The most memory for notes. With it, ten million SHA-256 digests and their
/// notes stay below 400 MB.
const NOTES_MAX_BYTES: usize = 24 * 1024 * 1024;

/// The most references kept of one text.
const REFERENCES_MAX: usize = 16;

/// The number of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NoteId(pub(super) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Note {
    start: u32,
    len: u16,
    score: i8,
    origin: SignatureOrigin,
}

/// What an indicator says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoteView<'a> {
    /// The description.
    pub(super) text: &'a str,
    /// The sub-score.
    pub(super) score: i8,
    /// Where it came from.
    pub(super) origin: SignatureOrigin,
}

impl NoteView<'_> {
    /// Makes a match of it, without strings.
    pub(super) fn to_match(self, kind: SignatureKind) -> Match {
        Match {
            kind,
            origin: self.origin,
            rule_name: String::new(),
            description: self.text.to_owned(),
            author: None,
            references: references(self.text),
            date: None,
            id: None,
            false_positives: Vec::new(),
            tags: Vec::new(),
            subscore: i32::from(self.score),
            strings: Vec::new(),
        }
    }
}

/// All notes of a set.
#[derive(Debug, Default)]
pub(super) struct Notes {
    text: String,
    notes: Vec<Note>,
}

impl Notes {
    /// Returns a note.
    ///
    /// An unknown id, which no builder hands out, gives an empty note.
    pub(super) fn get(&self, id: NoteId) -> NoteView<'_> {
        let note = self.notes.get(id.0 as usize).copied().unwrap_or(Note {
            start: 0,
            len: 0,
            score: 0,
            origin: SignatureOrigin::Internal,
        });
        NoteView {
            text: self.text_of(note),
            score: note.score,
            origin: note.origin,
        }
    }

    fn text_of(&self, note: Note) -> &str {
        let start = note.start as usize;
        &self.text[start..start + usize::from(note.len)]
    }
}

/// Collects notes.
#[derive(Default)]
pub(super) struct NotesBuilder {
    notes: Notes,
    // From the hash of a note to its number, so that no text is kept twice.
    // Two notes with one hash only cost the second one its sharing.
    known: HashMap<u64, u32>,
    hasher: RandomState,
    last: Option<NoteId>,
    is_full: bool,
}

impl NotesBuilder {
    /// Returns the number of a note with `text`; `fallback` replaces it once
    /// the memory for notes is used up, or if it is empty.
    pub(super) fn intern(
        &mut self,
        text: &str,
        fallback: &str,
        score: i8,
        origin: SignatureOrigin,
    ) -> NoteId {
        let text = if text.is_empty() { fallback } else { text };
        let view = NoteView {
            text: lines::cut(text),
            score,
            origin,
        };
        // Runs of lines with one comment are the rule in long lists.
        if let Some(last) = self.last
            && self.notes.get(last) == view
        {
            return last;
        }
        let id = match self.find(view) {
            Some(id) => id,
            None if self.used_bytes() < NOTES_MAX_BYTES => self.add(view),
            None => self.fallback(NoteView {
                text: lines::cut(fallback),
                ..view
            }),
        };
        self.last = Some(id);
        id
    }

    /// Tells whether a description had to be left out.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Returns a note that was added.
    pub(super) fn get(&self, id: NoteId) -> NoteView<'_> {
        self.notes.get(id)
    }

    /// Ends the collection.
    pub(super) fn build(mut self) -> Notes {
        self.notes.text.shrink_to_fit();
        self.notes.notes.shrink_to_fit();
        self.notes
    }

    fn fallback(&mut self, view: NoteView<'_>) -> NoteId {
        self.is_full = true;
        // There is one fallback for each list and score: few enough not to count.
        self.find(view).unwrap_or_else(|| self.add(view))
    }

    fn find(&self, view: NoteView<'_>) -> Option<NoteId> {
        let id = NoteId(*self.known.get(&self.hash(view))?);
        (self.notes.get(id) == view).then_some(id)
    }

    fn add(&mut self, view: NoteView<'_>) -> NoteId {
        let hash = self.hash(view);
        // Both fit: a text is at most 4 KiB, all of them a little over the bound.
        let start = u32::try_from(self.notes.text.len()).unwrap_or(0);
        let len = u16::try_from(view.text.len()).unwrap_or(0);
        let id = u32::try_from(self.notes.notes.len()).unwrap_or(u32::MAX);
        self.notes.text.push_str(view.text);
        self.notes.notes.push(Note {
            start,
            len,
            score: view.score,
            origin: view.origin,
        });
        self.known.insert(hash, id);
        NoteId(id)
    }

    fn hash(&self, view: NoteView<'_>) -> u64 {
        self.hasher.hash_one((view.text, view.score, view.origin))
    }

    fn used_bytes(&self) -> usize {
        self.notes.text.len() + self.notes.notes.len() * size_of::<Note>()
    }
}

/// Finds the addresses of web pages in a text.
pub(super) fn references(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("http")
        && found.len() < REFERENCES_MAX
    {
        let candidate = &rest[at..];
        let end = candidate
            .find(|c: char| c.is_whitespace() || "\"'<>|`".contains(c))
            .unwrap_or(candidate.len());
        let url = candidate[..end].trim_end_matches(['.', ',', ';', ':', ')', ']', '}']);
        let scheme = ["https://", "http://"]
            .iter()
            .find(|s| url.starts_with(**s));
        if scheme.is_some_and(|s| url.len() > s.len()) && !found.iter().any(|f| f == url) {
            found.push(url.to_owned());
        }
        rest = &candidate[end.max("http".len())..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: SignatureOrigin = SignatureOrigin::Custom;

    #[test]
    fn a_text_is_kept_once_for_each_score_and_origin() {
        let mut builder = NotesBuilder::default();
        let a = builder.intern("a", "f", 70, ORIGIN);
        let b = builder.intern("b", "f", 70, ORIGIN);
        assert_eq!(builder.intern("a", "f", 70, ORIGIN), a);
        assert_eq!(builder.intern("b", "f", 70, ORIGIN), b);
        assert_ne!(builder.intern("a", "f", 60, ORIGIN), a);
        assert_ne!(builder.intern("a", "f", 70, SignatureOrigin::Internal), a);
        assert_eq!(
            builder.intern("", "f", 1, ORIGIN),
            builder.intern("f", "", 1, ORIGIN)
        );
        let notes = builder.build();
        assert_eq!(notes.notes.len(), 5);
        assert_eq!(notes.get(b).text, "b");
        assert_eq!(notes.get(NoteId(99)).text, "");
    }

    #[test]
    fn the_memory_for_notes_is_bounded() {
        let mut builder = NotesBuilder::default();
        let mut last = NoteId(0);
        for i in 0..40_000 {
            let text = format!("{i:0>1000}");
            last = builder.intern(&text, "listed in x", 50, ORIGIN);
        }
        assert!(builder.is_full());
        assert!(builder.used_bytes() < NOTES_MAX_BYTES + 10_000);
        let notes = builder.build();
        assert_eq!(notes.get(last).text, "listed in x");
        assert_eq!(notes.get(last).score, 50);
    }

    #[test]
    fn references_are_found_in_texts() {
        for (text, expected) in [
            (
                "Snowman https://goo.gl/x1v7mT",
                vec!["https://goo.gl/x1v7mT"],
            ),
            ("(see http://a.b/c).", vec!["http://a.b/c"]),
            ("http://a http://a https://b", vec!["http://a", "https://b"]),
            ("http httpd https:// http:/x", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(references(text), expected, "{text}");
        }
        let many: String = (0..100).map(|i| format!("http://x/{i} ")).collect();
        assert_eq!(references(&many).len(), REFERENCES_MAX);
    }
}
