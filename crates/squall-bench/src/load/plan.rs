//! What is sent: files of a list, or made-up bodies that all differ.
//!
//! A list has one upload a line, `SOURCE<TAB>SALT<TAB>PATH`. With a salt that is
//! not empty it is appended to the file's bytes, so that one file on this
//! machine stands for many different ones.

use std::fs;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::args::Args;

/// One upload; its buffers are used again.
#[derive(Default)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) content: Vec<u8>,
}

/// All uploads of a load.
pub(crate) enum Plan {
    /// Files, read when their turn comes, as a collector does.
    List { lines: Vec<Line> },
    /// Bodies of one length, each with its number in it.
    MadeUp {
        template: Vec<u8>,
        first: usize,
        count: usize,
    },
}

/// One line of a list.
pub(crate) struct Line {
    source: String,
    salt: String,
    path: String,
}

impl Plan {
    /// Takes `--list FILE`, or `--size BYTES --count N [--first N]`.
    pub(crate) fn of(args: &mut Args) -> anyhow::Result<Self> {
        if let Some(list) = args.optional::<PathBuf>("list")? {
            let text = fs::read_to_string(&list)
                .with_context(|| format!("cannot read `{}`", list.display()))?;
            let lines = text.lines().map(line).collect::<anyhow::Result<_>>()?;
            return Ok(Self::List { lines });
        }
        Ok(Self::MadeUp {
            template: template(args.required("size")?),
            first: args.optional("first")?.unwrap_or(0),
            count: args.required("count")?,
        })
    }

    /// Makes `upload` the one with this number; false behind the last one.
    pub(crate) fn fill(&self, number: usize, upload: &mut Upload) -> anyhow::Result<bool> {
        match self {
            Self::List { lines } => match lines.get(number) {
                None => Ok(false),
                Some(line) => {
                    upload.read(line)?;
                    Ok(true)
                }
            },
            Self::MadeUp { count, .. } if number >= *count => Ok(false),
            Self::MadeUp {
                template, first, ..
            } => {
                if upload.content.len() != template.len() {
                    upload.content.clone_from(template);
                    upload.source = "bench".to_owned();
                }
                let mark = format!("{:016x}", first + number);
                let len = mark.len().min(template.len());
                upload.content[..len].copy_from_slice(&mark.as_bytes()[16 - len..]);
                upload.name = format!("/srv/data/{mark}.txt");
                Ok(true)
            }
        }
    }
}

impl Upload {
    fn read(&mut self, line: &Line) -> anyhow::Result<()> {
        self.name.clone_from(&line.path);
        self.source.clone_from(&line.source);
        self.content.clear();
        File::open(&line.path)
            .and_then(|mut file| file.read_to_end(&mut self.content))
            .with_context(|| format!("cannot read `{}`", line.path))?;
        self.content.extend_from_slice(line.salt.as_bytes());
        Ok(())
    }
}

fn line(text: &str) -> anyhow::Result<Line> {
    let mut fields = text.splitn(3, '\t').map(str::to_owned);
    let mut field = || {
        fields
            .next()
            .with_context(|| format!("a line lacks fields: `{text}`"))
    };
    Ok(Line {
        source: field()?,
        salt: field()?,
        path: field()?,
    })
}

/// Text of `len` bytes, as dull as a log file.
fn template(len: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(len + 64);
    // The number goes here.
    text.extend_from_slice(b"................\n");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    while text.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let line = format!(
            "{:08} entry {state:016x} of the log, value {}\n",
            text.len(),
            state % 977
        );
        text.extend_from_slice(line.as_bytes());
    }
    text.truncate(len);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_bodies_have_their_length_and_all_differ() {
        let plan = Plan::MadeUp {
            template: template(1000),
            first: 7,
            count: 2,
        };
        let (mut one, mut two) = (Upload::default(), Upload::default());
        assert!(plan.fill(0, &mut one).unwrap());
        assert!(plan.fill(1, &mut two).unwrap());
        assert_eq!((one.content.len(), two.content.len()), (1000, 1000));
        assert_ne!(one.content, two.content);
        assert!(one.content.starts_with(b"0000000000000007"));
        assert!(!plan.fill(2, &mut one).unwrap());
    }

    #[test]
    fn files_are_read_and_salted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "content").unwrap();
        let text = format!("host-1\tsalt\t{}", path.display());
        let plan = Plan::List {
            lines: vec![line(&text).unwrap()],
        };
        let mut upload = Upload::default();
        assert!(plan.fill(0, &mut upload).unwrap());
        assert_eq!(upload.content, b"contentsalt");
        assert_eq!(upload.source, "host-1");
        assert!(!plan.fill(1, &mut upload).unwrap());
        assert!(line("no fields").is_err());
    }
}
