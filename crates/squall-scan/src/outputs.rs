//! Where findings are written: text, JSON lines, CSV, HTML.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use squall_report::text::Options as TextOptions;
use squall_report::{csv, html, json, text};
use squall_types::Report;

use crate::read::FileId;
use crate::summary::Summary;

/// The name that stands for standard output.
const STDOUT: &str = "-";

/// Where to write what; `-` is standard output.
#[derive(Clone, Debug, Default)]
pub struct OutputPaths {
    /// Lines of text.
    pub text: Option<PathBuf>,
    /// Lines of JSON in the v3 log form.
    pub json: Option<PathBuf>,
    /// CSV.
    pub csv: Option<PathBuf>,
    /// One HTML page.
    pub html: Option<PathBuf>,
}

/// Why an output cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// It cannot be opened.
    #[error("cannot open `{}` for writing", path.display())]
    Open {
        /// The output.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The output.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Two outputs would be mixed in one file.
    #[error("`{}` is given for two outputs", path.display())]
    Twice {
        /// The output.
        path: PathBuf,
    },
}

/// The opened outputs.
pub struct Outputs {
    text: Option<Sink>,
    json: Option<Sink>,
    csv: Option<Sink>,
    html: Option<(Sink, html::Document)>,
    text_options: TextOptions,
}

impl Outputs {
    /// Opens them, so that one that cannot be written is known before the scan.
    /// Files that are there are overwritten; new ones are readable for the
    /// group only, because findings tell what an attacker would like to know.
    ///
    /// # Errors
    ///
    /// Fails if one cannot be opened, or if two are the same.
    pub fn open(paths: &OutputPaths, utc: bool, rfc3339: bool) -> Result<Self, OutputError> {
        let mut opened = Vec::new();
        let mut open = |path: &Option<PathBuf>| -> Result<Option<Sink>, OutputError> {
            path.as_ref()
                .map(|path| Sink::open(path, &mut opened))
                .transpose()
        };
        let mut outputs = Self {
            text: open(&paths.text)?,
            json: open(&paths.json)?,
            csv: open(&paths.csv)?,
            html: open(&paths.html)?.map(|sink| (sink, html::Document::default())),
            text_options: TextOptions {
                utc,
                rfc3339,
                ..TextOptions::default()
            },
        };
        if let Some(sink) = &mut outputs.csv {
            sink.write(csv::write_header)?;
        }
        Ok(outputs)
    }

    /// The files among them, so that they are not scanned.
    pub(crate) fn files(&self) -> Vec<FileId> {
        let sinks = [&self.text, &self.json, &self.csv];
        sinks
            .into_iter()
            .flatten()
            .chain(self.html.as_ref().map(|(sink, _)| sink))
            .filter_map(|sink| sink.id)
            .collect()
    }

    /// Writes what was found on a file.
    pub(crate) fn write(&mut self, report: &Report) -> Result<(), OutputError> {
        let options = &self.text_options;
        if let Some(sink) = &mut self.text {
            sink.write(|out| text::write_lines(report, options, out))?;
        }
        if let Some(sink) = &mut self.json {
            sink.write(|out| json::write_lines(report, out))?;
        }
        if let Some(sink) = &mut self.csv {
            sink.write(|out| csv::write_rows(report, out))?;
        }
        if let Some((_, document)) = &mut self.html {
            document.add(report);
        }
        Ok(())
    }

    /// Writes what is only known at the end.
    pub(crate) fn finish(&mut self, summary: &Summary) -> Result<(), OutputError> {
        match &mut self.html {
            Some((sink, document)) => sink.write(|out| document.write(&summary.page(), out)),
            None => Ok(()),
        }
    }
}

/// One opened output.
struct Sink {
    path: PathBuf,
    writer: BufWriter<Box<dyn Write + Send>>,
    /// Which file it is, if it is one.
    id: Option<FileId>,
}

impl Sink {
    /// Opens an output; `opened` holds those that were opened before.
    fn open(path: &Path, opened: &mut Vec<PathBuf>) -> Result<Self, OutputError> {
        let twice = || OutputError::Twice {
            path: path.to_owned(),
        };
        let failed = |source| OutputError::Open {
            path: path.to_owned(),
            source,
        };
        if path == Path::new(STDOUT) {
            if opened.iter().any(|other| other == path) {
                return Err(twice());
            }
            opened.push(path.to_owned());
            let id = std::fs::metadata("/dev/stdout")
                .ok()
                .filter(std::fs::Metadata::is_file)
                .map(|metadata| FileId::of(&metadata));
            return Ok(Self {
                path: "standard output".into(),
                writer: BufWriter::new(Box::new(io::stdout())),
                id,
            });
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(path)
            .map_err(failed)?;
        // By what it is, not by its name: two names may be one file.
        let real = std::fs::canonicalize(path).map_err(failed)?;
        if opened.contains(&real) {
            return Err(twice());
        }
        opened.push(real);
        let id = empty(&file).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            writer: BufWriter::new(Box::new(file)),
            id,
        })
    }

    /// Writes all of something at once, so that a scan that is killed leaves
    /// whole lines.
    fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<Box<dyn Write + Send>>) -> io::Result<()>,
    ) -> Result<(), OutputError> {
        write(&mut self.writer)
            .and_then(|()| self.writer.flush())
            .map_err(|source| OutputError::Write {
                path: self.path.clone(),
                source,
            })
    }
}

/// Empties an output that is a file and returns which one it is.
fn empty(file: &File) -> io::Result<Option<FileId>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    file.set_len(0)?;
    Ok(Some(FileId::of(&metadata)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(paths: &OutputPaths) -> Result<Outputs, OutputError> {
        Outputs::open(paths, false, false)
    }

    #[test]
    fn one_place_takes_one_output() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = |name: &str| Some(dir.path().join(name));
        std::fs::write(dir.path().join("a"), "old").expect("file");
        std::os::unix::fs::symlink("a", dir.path().join("b")).expect("link");
        for (json, csv) in [
            (path("a"), path("a")),
            (path("a"), path("b")),
            (Some("-".into()), Some("-".into())),
        ] {
            let error = open(&OutputPaths {
                json,
                csv,
                ..OutputPaths::default()
            });
            assert!(matches!(error, Err(OutputError::Twice { .. })));
        }
    }

    #[test]
    fn a_file_that_was_there_is_overwritten_and_known() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("a");
        std::fs::write(&path, "old and long enough to show").expect("file");
        let outputs = open(&OutputPaths {
            csv: Some(path.clone()),
            ..OutputPaths::default()
        })
        .expect("opens");
        let metadata = std::fs::metadata(&path).expect("there");
        assert_eq!(outputs.files(), [FileId::of(&metadata)]);
        let text = std::fs::read_to_string(&path).expect("text");
        assert!(text.starts_with("\"time\",\"host\","), "{text}");
        assert!(text.ends_with("\"event_id\"\r\n"), "{text}");
    }

    #[test]
    fn an_output_that_cannot_be_opened_is_named() {
        let error = open(&OutputPaths {
            html: Some("/no/such/dir/x.html".into()),
            ..OutputPaths::default()
        })
        .err()
        .expect("fails");
        assert!(error.to_string().contains("/no/such/dir/x.html"));
    }
}
