//! The rules in force with their text, and the files that are written through
//! the API: a directory of their own in the data directory, so that nothing an
//! operator manages otherwise is ever changed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use squall_api::v1;
use squall_engine::{
    CompileOptions, Included, Problem, Severity, SignatureSet, SourceFile, includes_others,
    is_signature_file, rule_text,
};
use squall_server::{LibraryError, Mistake, RuleFacts, SignatureLibrary, WrittenFile, text_digest};
use squall_types::SignatureOrigin;
use squall_worker::{Recent, Signatures};

use super::timing::Timing;
use super::{Selection, is_rule_file};

/// Files that may be written.
const FILES_MAX: usize = 200;
/// Largest file.
const FILE_LEN_MAX: u64 = 8 * 1024 * 1024;
/// Longest name.
const NAME_LEN_MAX: usize = 100;
/// Mistakes told of a file.
const MISTAKES_MAX: usize = 100;

/// Knows the files of a selection.
pub(crate) struct Library {
    selection: Selection,
    signatures: Arc<Signatures>,
    dir: PathBuf,
    timing: Timing,
}

impl Library {
    /// Makes the library of what `selection` selects; files are written to
    /// `dir`, which is part of it. Rules are timed with samples of `recent`.
    pub(crate) fn new(
        selection: Selection,
        signatures: Arc<Signatures>,
        dir: PathBuf,
        recent: Arc<Recent>,
    ) -> Self {
        Self {
            timing: Timing::new(selection.clone(), Arc::clone(&signatures), recent),
            selection,
            signatures,
            dir,
        }
    }

    /// Times the rules from now on whenever there is nothing else to do.
    ///
    /// # Errors
    ///
    /// Fails if there is no thread for it.
    pub(crate) fn time_rules_when_idle(&self) -> io::Result<()> {
        self.timing.measure_when_idle()
    }

    fn path(&self, name: &str) -> Result<PathBuf, LibraryError> {
        check_name(name)?;
        Ok(self.dir.join(name))
    }
}

impl SignatureLibrary for Library {
    fn rules(&self) -> Vec<RuleFacts> {
        let Some(set) = self.signatures.current() else {
            return Vec::new();
        };
        let facts = set.rule_list().map(|(file, rule)| RuleFacts {
            name: rule.rule_name,
            file,
            origin: rule.origin.name(),
            score: rule.subscore,
            description: rule.description,
            author: rule.author,
            date: rule.date,
            tags: rule.tags,
        });
        facts.collect()
    }

    fn source(&self, file: &str, rule: &str) -> Result<Option<(u32, String)>, LibraryError> {
        let found = self.selection.read_file(file);
        let found = found.map_err(|error| LibraryError::Io {
            operation: "reading the signatures",
            source: io::Error::other(error),
        })?;
        let text = found.and_then(|found| rule_text(&found.content, rule));
        Ok(text.map(|text| (text.line, text.text)))
    }

    fn trusts(&self, sha256: &[u8; 32]) -> bool {
        let set = self.signatures.current();
        set.is_some_and(|set| set.trusts(sha256))
    }

    fn written(&self) -> Result<Vec<WrittenFile>, LibraryError> {
        let failed = failed("listing the files");
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(&failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(&failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let metadata = entry.metadata().map_err(&failed)?;
            if check_name(&name).is_ok() && metadata.is_file() {
                let modified = metadata.modified().map_err(&failed)?;
                // Of what is read, which is what a change is compared with.
                let Some(text) = self.read(&name)? else {
                    continue;
                };
                files.push(WrittenFile {
                    size_bytes: metadata.len(),
                    modified: Timestamp::try_from(modified).unwrap_or_default(),
                    digest: text_digest(&text),
                    name,
                });
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    fn read(&self, name: &str) -> Result<Option<String>, LibraryError> {
        let failed = failed("reading a file");
        let file = match File::open(self.path(name)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(&failed)?,
        };
        let mut content = Vec::new();
        file.take(FILE_LEN_MAX)
            .read_to_end(&mut content)
            .map_err(&failed)?;
        Ok(Some(String::from_utf8_lossy(&content).into_owned()))
    }

    fn check(&self, name: &str, text: &str) -> Result<Vec<Mistake>, LibraryError> {
        check_name(name)?;
        let is_rules = is_rule_file(Path::new(name));
        if is_rules && includes_others(text.as_bytes()) {
            return Ok(vec![Mistake {
                fatal: true,
                reason: "a file that is written here may not include others".to_owned(),
                ..Mistake::default()
            }]);
        }
        let file = SourceFile {
            name: name.to_owned(),
            content: text.as_bytes().to_vec(),
            origin: SignatureOrigin::Custom,
            modified: None,
            included: Included::default(),
        };
        let set = SignatureSet::compile(&[file], CompileOptions::default(), |_| {});
        let set = set.map_err(|error| LibraryError::Io {
            operation: "setting up the engine",
            source: io::Error::other(error),
        })?;
        let mistakes = set.problems().iter().take(MISTAKES_MAX).map(mistake);
        Ok(mistakes.collect())
    }

    fn write(&self, name: &str, text: Option<&str>) -> Result<(), LibraryError> {
        let path = self.path(name)?;
        let Some(text) = text else {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(failed("removing a file")(error))
                }
                _ => Ok(()),
            };
        };
        if text.len() as u64 > FILE_LEN_MAX {
            let reason = format!("the file would be larger than {FILE_LEN_MAX} bytes");
            return Err(LibraryError::Name(reason));
        }
        let present = self.written()?;
        if present.len() >= FILES_MAX && !present.iter().any(|file| file.name == name) {
            return Err(LibraryError::TooMany(FILES_MAX));
        }
        replace(&self.dir, &path, text.as_bytes()).map_err(failed("writing a file"))
    }

    fn costs(&self) -> v1::RuleCosts {
        self.timing.costs()
    }

    fn measure(&self) -> Result<(), LibraryError> {
        self.timing.measure()
    }
}

/// Writes a file under another name, hidden from those who read signatures,
/// and renames it, so that it is whole or not there.
fn replace(dir: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let incomplete = dir.join(".incomplete");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&incomplete)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&incomplete, path)?;
    File::open(dir)?.sync_all()
}

/// Makes sure that a name is one of a signature file and nothing else.
fn check_name(name: &str) -> Result<(), LibraryError> {
    let is_plain = name.len() <= NAME_LEN_MAX
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !is_plain {
        let reason = format!(
            "a file is named with letters, digits, `.`, `_` and `-`, {NAME_LEN_MAX} at most, beginning with a letter or digit"
        );
        return Err(LibraryError::Name(reason));
    }
    if !is_signature_file(Path::new(name)) {
        let reason = "the name does not say what the file holds: rules end in `.yar`, lists have `hash-iocs`, `trusted-hashes`, `filename-iocs`, `keywords` or `c2-iocs` in their name and end in `.txt`";
        return Err(LibraryError::Name(reason.to_owned()));
    }
    Ok(())
}

fn mistake(problem: &Problem) -> Mistake {
    let rule = problem.rule.as_ref();
    Mistake {
        line: problem.line,
        column: problem.column,
        fatal: problem.severity == Severity::Skipped,
        reason: rule.map_or_else(
            || problem.reason.clone(),
            |rule| format!("rule {rule}: {}", problem.reason),
        ),
    }
}

fn failed(operation: &'static str) -> impl Fn(io::Error) -> LibraryError {
    move |source| LibraryError::Io { operation, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(dir: &Path) -> Library {
        let own = dir.join("own-signatures");
        let selection = Selection {
            own: Some(own.clone()),
            ..Selection::default()
        };
        Library::new(selection, Arc::default(), own, Arc::default())
    }

    #[test]
    fn a_file_is_written_listed_read_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let library = library(dir.path());
        assert_eq!(library.written().unwrap().len(), 0);
        assert_eq!(library.read("a.yar").unwrap(), None);
        let text = "rule A { condition: true }\nrule B { condition: false }";
        library.write("a.yar", Some(text)).unwrap();
        library.write("my-hash-iocs.txt", Some("")).unwrap();
        let files = library.written().unwrap();
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a.yar", "my-hash-iocs.txt"]);
        assert_eq!(library.read("a.yar").unwrap().unwrap(), text);
        let file = library.dir.join("a.yar").display().to_string();
        let source = library.source(&file, "B").unwrap().unwrap();
        assert_eq!(source, (2, "rule B { condition: false }".to_owned()));
        assert!(library.source("/etc/passwd", "B").unwrap().is_none());
        library.write("a.yar", None).unwrap();
        library.write("a.yar", None).unwrap();
        assert_eq!(library.written().unwrap().len(), 1);
    }

    #[test]
    fn a_mistake_has_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let library = library(dir.path());
        let check = |name: &str, text: &str| library.check(name, text).unwrap();
        let good = "rule A { strings: $a = \"abcd\" condition: $a }";
        assert_eq!(check("a.yar", good).len(), 0);
        let mistakes = check("a.yar", "rule A {\n  condition:\n    $missing\n}");
        assert!(
            mistakes.iter().any(|m| m.fatal && m.line == Some(3)),
            "{mistakes:?}"
        );
        let mistakes = check(
            "a.yar",
            "rule A { condition: true } include \"/etc/passwd\"",
        );
        assert!(mistakes[0].fatal, "{mistakes:?}");
        let mistakes = check("x-hash-iocs.txt", "# ok\nnot a hash;1;x\n");
        assert_eq!(mistakes[0].line, Some(2), "{mistakes:?}");
    }

    #[test]
    fn no_other_file_can_be_named() {
        for name in [
            "", ".", "..", "../a.yar", "/a.yar", "a/b.yar", ".a.yar", "a\\b.yar", "a b.yar",
            "a.txt", "a.exe", "a.yar\n", "é.yar",
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert!(check_name(&format!("{}.yar", "a".repeat(NAME_LEN_MAX))).is_err());
        for name in ["a.yar", "B-2.yara", "console-trusted-hashes.txt"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }
}
