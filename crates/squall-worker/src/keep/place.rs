//! Names in the directory of kept samples: `ab/ab12…` and `ab/ab12….json`, by
//! the digest, so that no directory grows too long.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The SHA-256 that a sample is kept under.
pub(super) type Digest = [u8; 32];

/// Tells files that one process is writing from what another left behind.
pub(super) type Token = u64;

const JSON: &str = ".json";
const INCOMPLETE: &str = ".tmp";

/// What a file in the directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// A sample.
    Sample(Digest),
    /// What is known of it.
    Sidecar(Digest),
    /// Either, being written or cut short by a crash; by whom.
    Incomplete(Option<Token>),
}

/// Writes a digest in hexadecimal.
pub(super) fn hex(digest: &[u8]) -> String {
    let mut text = String::with_capacity(digest.len() * 2);
    for byte in digest {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(super) fn folder(dir: &Path, digest: &Digest) -> PathBuf {
    dir.join(hex(&digest[..1]))
}

pub(super) fn sample(dir: &Path, digest: &Digest) -> PathBuf {
    folder(dir, digest).join(hex(digest))
}

pub(super) fn sidecar(dir: &Path, digest: &Digest) -> PathBuf {
    folder(dir, digest).join(hex(digest) + JSON)
}

/// The name of a file while it is written: by whom is part of it, since times do
/// not tell. Clocks are set, and those of files are some milliseconds late.
pub(super) fn incomplete(path: &Path, token: Token) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{token:016x}{INCOMPLETE}"));
    name.into()
}

/// Tells whether a directory in the top one is of those above.
pub(super) fn is_folder(name: &str) -> bool {
    name.len() == 2 && is_hex(name)
}

/// Tells what a file in `folder` is, or `None` for a foreign one.
pub(super) fn kept(folder: &str, name: &str) -> Option<Kept> {
    if !name.starts_with(folder) {
        return None;
    }
    let (text, incomplete) = match name.strip_suffix(INCOMPLETE) {
        Some(text) => match text.rsplit_once('.').map(|(text, of)| (text, token(of))) {
            Some((text, Some(of))) => (text, Some(Kept::Incomplete(Some(of)))),
            // Versions before wrote none.
            _ => (text, Some(Kept::Incomplete(None))),
        },
        None => (name, None),
    };
    let (text, is_sidecar) = match text.strip_suffix(JSON) {
        Some(text) => (text, true),
        None => (text, false),
    };
    let digest = parse(text)?;
    Some(incomplete.unwrap_or(if is_sidecar {
        Kept::Sidecar(digest)
    } else {
        Kept::Sample(digest)
    }))
}

fn token(text: &str) -> Option<Token> {
    let is_token = text.len() == 16 && is_hex(text);
    is_token.then(|| Token::from_str_radix(text, 16).ok())?
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn parse(text: &str) -> Option<Digest> {
    if text.len() != 64 || !is_hex(text) {
        return None;
    }
    let mut digest = Digest::default();
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_foreign_ones() {
        let digest = [0xab; 32];
        let name = "ab".repeat(32);
        for (name, what) in [
            (name.clone(), Some(Kept::Sample(digest))),
            (format!("{name}.json"), Some(Kept::Sidecar(digest))),
            (format!("{name}.tmp"), Some(Kept::Incomplete(None))),
            (format!("{name}.json.tmp"), Some(Kept::Incomplete(None))),
            (
                format!("{name}.json.00000000000000ff.tmp"),
                Some(Kept::Incomplete(Some(255))),
            ),
            (format!("{name}.00000000000000f.tmp"), None),
            (format!("{name}.txt"), None),
            (format!("{name}.json.json"), None),
            (name.to_uppercase(), None),
            (name[2..].to_owned(), None),
            ("notes".to_owned(), None),
            ("abé".repeat(16), None),
        ] {
            assert_eq!(kept("ab", &name), what, "{name}");
        }
        assert_eq!(kept("cd", &name), None, "in another's place");
        assert!(is_folder("0f") && !is_folder("0F") && !is_folder("0f0") && !is_folder("é"));
    }

    #[test]
    fn paths_are_made_of_the_digest_alone() {
        let dir = Path::new("/kept");
        let digest = [0x0f; 32];
        let name = "0f".repeat(32);
        let path = sample(dir, &digest);
        assert_eq!(path, Path::new("/kept/0f").join(&name));
        let json = sidecar(dir, &digest);
        assert_eq!(json, Path::new("/kept/0f").join(format!("{name}.json")));
        let temporary = incomplete(&json, 5);
        let temporary = temporary.file_name().and_then(|name| name.to_str());
        assert_eq!(
            kept("0f", temporary.unwrap()),
            Some(Kept::Incomplete(Some(5)))
        );
    }
}
