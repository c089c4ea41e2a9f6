//! Checks that are built in: what makes a file suspicious whatever its bytes
//! say to the rules.
//!
//! | name | looks at | score |
//! |---|---|---|
//! | `Heuristic_Executable_Disguised` | program (EXE, ELF, Mach-O) with the extension of a document, picture, film, text, markup, archive or font | 70 |
//! | `Heuristic_Script_Disguised` | shortcut, HTA, encoded or other script, server page with the extension of a document or picture | 60 |
//! | `Heuristic_Type_Extension_Mismatch` | archive, active document or secret store with an extension of another kind | 45 |
//! | `Heuristic_Double_Extension` | `invoice.pdf.exe`, also with blanks between | 65 |
//! | `Heuristic_Padded_Extension` | five or more blanks before a program's extension | 65 |
//! | `Heuristic_Name_Direction_Control` | right-to-left override; other embeddings in names of programs | 70 |
//! | `Heuristic_Trailing_Blank_In_Name` | `a.exe ` and `a.exe.` | 60 |
//! | `Heuristic_Executable_In_Mail` | program, shortcut, Windows script out of a mail, at any depth | 60 |
//! | `Heuristic_Single_Executable_In_Archive` | an archive's only member is a program called `invoice` | 60 |
//! | `Heuristic_Packed_Executable` | a packer's section name and entropy of 7 | 45 |
//! | `Heuristic_Unlikely_Section` | running section with entropy of 7 that no compiler names so | 50 |
//! | `Heuristic_Obfuscated_Script` | line of 4 KiB with the entropy of base64 | 45 |
//!
//! Alone each is a Notice or a Warning; together with a rule they lift its
//! score. [`HEURISTICS`] is the only list; adding one is an entry there, a
//! function that returns where it is, and its good and bad files in `tests`.
//! A function looks at the name, at facts that are known already, and only
//! then, for the few files left, at the content.

mod delivery;
mod disguise;
mod extensions;
mod kinds;
mod names;
mod obfuscation;
mod packing;
mod table;
#[cfg(test)]
mod tests;
mod view;

use squall_types::{Match, MatchField, MatchedString, SignatureKind, SignatureOrigin};

use crate::file_type::{self, FileType};
use crate::matching;
use crate::name::Name;
use crate::pe_info::PeLayout;
pub(crate) use table::{HEURISTICS, Heuristic};
use view::{Place, View};

/// A file and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// The bytes.
    pub(crate) content: &'a [u8],
    /// The path as reports show it; offsets in it are reported.
    pub(crate) path: &'a str,
    /// The file's own name, with which `path` ends: of a member the name in
    /// its container, else all of it.
    pub(crate) name: &'a str,
    /// What the content is.
    pub(crate) file_type: FileType,
    /// The layout of a PE file, where it is one.
    pub(crate) pe: Option<&'a PeLayout>,
    /// The types it was unpacked from, outermost first.
    pub(crate) unpack_source: &'a [String],
    /// How many members its container has, itself counted, where that is known.
    pub(crate) siblings: Option<usize>,
}

/// Asks every heuristic about a file.
pub(crate) fn check(subject: &Subject<'_>) -> Vec<Match> {
    let view = View::of(subject);
    HEURISTICS
        .iter()
        .filter_map(|heuristic| {
            (heuristic.look)(&view).map(|places| to_match(heuristic, &view, places))
        })
        .collect()
}

/// What the heuristics see of the name of a sample that is no member; they say
/// the same of the same bytes wherever it is the same. One that looks at more
/// must have that added here, or verdicts on other files are used for its.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NameClass<'a> {
    /// The extension: lower case, without the dot.
    pub(crate) extension: String,
    /// The whole name, if there is more to it than an extension.
    pub(crate) odd_name: Option<&'a str>,
}

/// Returns the class of a sample's path.
pub(crate) fn name_class(path: &str) -> NameClass<'_> {
    let base = Name::of(path).base;
    let (stem, extension) = view::split_extension(base);
    let (_, middle) = view::split_extension(stem);
    let is_plain = base.is_ascii()
        && !base.contains(view::is_blank)
        && !base.ends_with('.')
        && middle.is_empty();
    NameClass {
        extension: extension.to_ascii_lowercase(),
        odd_name: (!is_plain).then_some(base),
    }
}

/// Tells whether a heuristic would speak of a member if it were the only one
/// of its archive, so that it is worth waiting for what follows.
pub(crate) fn asks_if_alone(container_type: &str, name: &str, content: &[u8]) -> bool {
    if !kinds::is_archive(container_type) {
        return false;
    }
    let subject = Subject {
        content,
        path: name,
        name,
        file_type: file_type::detect(content),
        pe: None,
        unpack_source: &[container_type.to_owned()],
        siblings: Some(1),
    };
    let view = View::of(&subject);
    delivery::alone_in_archive(&view).is_some() || names::double_extension(&view).is_some()
}

fn to_match(heuristic: &Heuristic, view: &View<'_>, places: Vec<Place>) -> Match {
    let words = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    Match {
        kind: SignatureKind::InternalHeuristic,
        origin: SignatureOrigin::Internal,
        rule_name: heuristic.name.to_owned(),
        description: heuristic.description.to_owned(),
        author: Some("Squall project".to_owned()),
        references: vec![heuristic.reference.to_owned()],
        date: None,
        id: None,
        false_positives: words(heuristic.false_positives),
        tags: words(heuristic.tags),
        subscore: heuristic.score,
        strings: places.iter().map(|place| string(place, view)).collect(),
    }
}

fn string(place: &Place, view: &View<'_>) -> MatchedString {
    let subject = view.subject;
    match place {
        Place::Content(range) => {
            matching::string("", MatchField::Content, range.clone(), subject.content)
        }
        Place::Name(range) => {
            // The base name is the end of the path.
            let start = subject.path.len().saturating_sub(view.base.len());
            let range = start + range.start..start + range.end;
            matching::string("", MatchField::Path, range, subject.path.as_bytes())
        }
    }
}
