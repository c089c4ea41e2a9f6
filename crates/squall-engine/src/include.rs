//! The `include` statements of rule files.
//!
//! The text of an included file takes the place of the statement when the file
//! is read, so that whoever reads decides what may be included: from a
//! directory any file, from an archive what is in it. The engine is never
//! asked to open one: it looks in the directories of all files before, and
//! asks neither what a file is nor how large.
//!
//! A file is included once in each rule file, whatever refers to it: twice
//! would only define its rules again.

use std::collections::HashSet;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use memchr::memmem;
use yara_x_parser::Parser;
use yara_x_parser::cst::{Event, SyntaxKind};

use crate::source::{SIZE_MAX_BYTES, SourceFile};

/// The most `include` statements that are followed in one rule file, those of
/// included files counted.
const STATEMENTS_MAX: usize = 10_000;

/// How deep files include one another.
const DEPTH_MAX: usize = 32;

/// A file that is to be included.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it is known by: the same however it was referred to.
    pub path: PathBuf,
    /// The name problems are reported under.
    pub name: String,
    /// Its text.
    pub content: Vec<u8>,
    /// When it was last changed, where that is known.
    pub modified: Option<SystemTime>,
}

/// Which parts of a rule file's text are of which file; empty where it
/// includes none.
#[derive(Clone, Debug, Default)]
pub struct Included(Vec<Part>);

#[derive(Clone, Debug)]
struct Part {
    /// Where it begins in the text.
    start: usize,
    file: String,
    place: Place,
    /// Why nothing stands for the statement that this is.
    failure: Option<String>,
}

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A part of a rule file's text.
pub(crate) struct Piece<'a> {
    /// The file it is of.
    pub(crate) file: &'a str,
    pub(crate) text: &'a [u8],
    /// Where it begins in that file.
    pub(crate) place: Place,
    /// Why it could not be included, if it is such a statement.
    pub(crate) failure: Option<&'a str>,
}

impl Place {
    const START: Self = Self { line: 1, column: 1 };

    /// Returns the place behind a text that begins here; a column is a
    /// character.
    pub(crate) fn behind(self, text: &[u8]) -> Self {
        let add =
            |to: u32, count: usize| to.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        let characters = |text: &[u8]| String::from_utf8_lossy(text).chars().count();
        match memchr::memrchr(b'\n', text) {
            None => Self {
                column: add(self.column, characters(text)),
                ..self
            },
            Some(last) => Self {
                line: add(self.line, memchr::memchr_iter(b'\n', text).count()),
                column: add(1, characters(&text[last + 1..])),
            },
        }
    }
}

impl SourceFile {
    /// Returns the parts of the text, each of one file.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let parts = &self.included.0;
        let whole = parts.is_empty().then(|| Piece {
            file: &self.name,
            text: &self.content,
            place: Place::START,
            failure: None,
        });
        let starts = parts.iter().skip(1).map(|part| part.start);
        let ends = starts.chain([self.content.len()]);
        let several = parts.iter().zip(ends).map(|(part, end)| Piece {
            file: &part.file,
            text: self.content.get(part.start..end).unwrap_or_default(),
            place: part.place,
            failure: part.failure.as_deref(),
        });
        whole.into_iter().chain(several)
    }
}

/// Puts the files that a rule file includes in the place of the statements.
///
/// `path` is where the file is; names are meant from there, or from the place
/// of the included file that they are in. `find` reads the file of a path, and
/// returns `None` if there is none. A statement whose file cannot be had stays,
/// and is a problem of the set.
pub fn expand_includes(
    file: &mut SourceFile,
    path: &Path,
    find: &mut dyn FnMut(&Path) -> io::Result<Option<Found>>,
) {
    if !may_include(&file.content) {
        return;
    }
    let content = std::mem::take(&mut file.content);
    let mut expansion = Expansion {
        find,
        top: path.parent().unwrap_or(Path::new("")),
        seen: HashSet::new(),
        statements: 0,
        text: Vec::with_capacity(content.len()),
        parts: Vec::new(),
        modified: file.modified,
    };
    expansion.add(&file.name, path, &content, 0);
    if expansion.statements == 0 {
        file.content = content;
        return;
    }
    file.content = expansion.text;
    file.modified = expansion.modified;
    file.included = Included(expansion.parts);
}

struct Expansion<'f> {
    find: &'f mut dyn FnMut(&Path) -> io::Result<Option<Found>>,
    /// The directory of the rule file.
    top: &'f Path,
    seen: HashSet<PathBuf>,
    statements: usize,
    text: Vec<u8>,
    parts: Vec<Part>,
    modified: Option<SystemTime>,
}

impl Expansion<'_> {
    fn add(&mut self, name: &str, path: &Path, content: &[u8], depth: usize) {
        let mut done = 0;
        let mut place = Place::START;
        for statement in statements(content) {
            self.statements += 1;
            place = self.push(name, place, &content[done..statement.range.start], None);
            let text = &content[statement.range.clone()];
            let failure = self.include(&content[statement.name], path, depth).err();
            place = match failure {
                Some(reason) => self.push(name, place, text, Some(reason)),
                None => place.behind(text),
            };
            done = statement.range.end;
        }
        self.push(name, place, &content[done..], None);
    }

    /// Adds a part, and returns the place behind it.
    fn push(&mut self, name: &str, place: Place, text: &[u8], failure: Option<String>) -> Place {
        if !text.is_empty() {
            self.parts.push(Part {
                start: self.text.len(),
                file: name.to_owned(),
                place,
                failure,
            });
            self.text.extend_from_slice(text);
        }
        place.behind(text)
    }

    /// Adds an included file; says why not if that is so.
    fn include(&mut self, name: &[u8], from: &Path, depth: usize) -> Result<(), String> {
        let shown = String::from_utf8_lossy(name).into_owned();
        let fail = |reason: &str| Err(format!("cannot include `{shown}`: {reason}"));
        if self.statements > STATEMENTS_MAX {
            return fail("too many files are included");
        }
        if depth == DEPTH_MAX {
            return fail("files include one another too deeply");
        }
        let found = match self.find(&shown, from) {
            Ok(Some(found)) => found,
            Ok(None) => return fail("there is no such file"),
            Err(error) => return fail(&error.to_string()),
        };
        if !self.seen.insert(found.path.clone()) {
            return Ok(());
        }
        if (self.text.len() + found.content.len()) as u64 > SIZE_MAX_BYTES {
            return fail("all included files together are too large");
        }
        self.modified = self.modified.max(found.modified);
        self.add(&found.name, &found.path, &found.content, depth + 1);
        // A last line without an end may be a comment.
        if self.text.last().is_some_and(|&last| last != b'\n') {
            self.text.push(b'\n');
        }
        Ok(())
    }

    /// Looks beside the file that the statement is in, then beside the first.
    fn find(&mut self, name: &str, from: &Path) -> io::Result<Option<Found>> {
        let beside = from.parent().unwrap_or(Path::new("")).join(name);
        match (self.find)(&beside)? {
            None if from.parent() != Some(self.top) => (self.find)(&self.top.join(name)),
            found => Ok(found),
        }
    }
}

struct Statement {
    range: Range<usize>,
    /// Where the name is, without its quotes.
    name: Range<usize>,
}

/// Returns the `include` statements in the text of a rule file.
fn statements(content: &[u8]) -> Vec<Statement> {
    if !may_include(content) {
        return Vec::new();
    }
    let mut statements = Vec::new();
    let mut inside = None;
    for event in Parser::new(content) {
        match event {
            Event::Begin {
                kind: SyntaxKind::INCLUDE_STMT,
                span,
            } => inside = Some(span.range()),
            Event::End {
                kind: SyntaxKind::INCLUDE_STMT,
                ..
            } => inside = None,
            Event::Token {
                kind: SyntaxKind::STRING_LIT,
                span,
            } => {
                if let Some(range) = inside.take() {
                    let literal = span.range();
                    statements.push(Statement {
                        range: range.start..literal.end,
                        name: literal.start + 1..literal.end.saturating_sub(1),
                    });
                }
            }
            _ => {}
        }
    }
    statements.retain(|statement| content.get(statement.name.clone()).is_some());
    statements
}

/// Tells whether a text may hold an `include` statement: parsing takes as long
/// as half of compiling, and hardly a file has any.
fn may_include(content: &[u8]) -> bool {
    const WORD: &[u8] = b"include";
    memmem::find_iter(content, WORD).any(|at| {
        let rest = content[at + WORD.len()..].trim_ascii_start();
        matches!(rest.first(), Some(b'"' | b'/'))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use squall_types::SignatureOrigin;

    use super::*;

    /// Expands `/r/top.yar`, given the other files, and returns its parts: the
    /// file, the line, the column and the text, or the reason.
    fn expanded(text: &str, others: &[(&str, &str)]) -> Vec<String> {
        let others: HashMap<_, _> = others.iter().copied().collect();
        let mut find = |path: &Path| {
            let name = path.display().to_string().replace("/r/sub/../", "/r/");
            if name == "/r/pipe" {
                return Err(io::Error::other("it is no file"));
            }
            Ok(others.get(&*name).map(|content| Found {
                path: PathBuf::from(&name),
                name: name.clone(),
                content: content.as_bytes().to_vec(),
                modified: None,
            }))
        };
        let mut file = SourceFile {
            name: "/r/top.yar".to_owned(),
            content: text.into(),
            origin: SignatureOrigin::Internal,
            modified: None,
            included: Included::default(),
        };
        expand_includes(&mut file, Path::new("/r/top.yar"), &mut find);
        file.pieces()
            .map(|piece| {
                let text = String::from_utf8_lossy(piece.text);
                format!(
                    "{}:{}:{} {}",
                    piece.file,
                    piece.place.line,
                    piece.place.column,
                    piece.failure.unwrap_or(text.trim())
                )
            })
            .collect()
    }

    #[test]
    fn statements_are_told_from_text() {
        for (text, expected) in [
            ("include \"other.yar\"", &["other.yar"][..]),
            (
                "rule A { condition: true }\n  include\"x.inc\"\n",
                &["x.inc"],
            ),
            (
                "import \"pe\" include \"a\" include /* b */ \"c\"",
                &["a", "c"],
            ),
            ("// include \"other.yar\"", &[]),
            ("/* include \"other.yar\" */ include\n\"d\"", &["d"]),
            (
                "rule A { strings: $a = \"include \" $b = \"x\" condition: $a }",
                &[],
            ),
            ("includes \"x\"", &[]),
            ("include \"", &[]),
        ] {
            let found: Vec<_> = statements(text.as_bytes())
                .into_iter()
                .map(|statement| &text[statement.name])
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_file_takes_the_place_of_the_statement() {
        assert_eq!(
            expanded(
                "import \"a\"\n  include \"sub/x\" import \"b\"\ninclude \"y\"",
                &[
                    ("/r/sub/x", "import \"x\"\ninclude \"z\"\ninclude \"y\""),
                    ("/r/sub/z", "import \"z\" // last line"),
                    ("/r/y", "import \"y\""),
                ]
            ),
            [
                "/r/top.yar:1:1 import \"a\"",
                "/r/sub/x:1:1 import \"x\"",
                "/r/sub/z:1:1 import \"z\" // last line",
                "/r/sub/x:2:12 ",
                // Beside the first file, and once.
                "/r/y:1:1 import \"y\"",
                "/r/top.yar:2:18 import \"b\"",
            ]
        );
        let comment = "// include \"x\"";
        assert_eq!(
            expanded(comment, &[]),
            [format!("/r/top.yar:1:1 {comment}")]
        );
    }

    #[test]
    fn what_cannot_be_included_is_told_and_stays() {
        assert_eq!(
            expanded("include \"none\" import \"a\"\ninclude \"pipe\"", &[]),
            [
                "/r/top.yar:1:1 cannot include `none`: there is no such file",
                "/r/top.yar:1:15 import \"a\"",
                "/r/top.yar:2:1 cannot include `pipe`: it is no file",
            ]
        );
    }

    #[test]
    fn no_way_of_including_has_no_end() {
        let circle = [("/r/a", "include \"b\""), ("/r/b", "include \"a\" end")];
        assert_eq!(expanded("include \"a\"", &circle), ["/r/b:1:12 end"]);
        let names: Vec<String> = (0..100).map(|number| format!("/r/{number}")).collect();
        let texts: Vec<String> = (1..=100)
            .map(|next| format!("include \"{next}\""))
            .collect();
        let chain: Vec<(&str, &str)> = names
            .iter()
            .zip(&texts)
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let [end] = &expanded("include \"0\"", &chain)[..] else {
            panic!("not one part");
        };
        assert!(end.contains("too deeply"), "{end}");
        let many = "include \"none\"\n".repeat(STATEMENTS_MAX + 1);
        let last = expanded(many.trim_end(), &[]).pop().unwrap_or_default();
        assert!(last.contains("too many"), "{last}");
    }
}
