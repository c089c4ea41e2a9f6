//! The secret that this service proves by who it is.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::error::SetUpError;

/// Most bytes of the file with the secret.
const SECRET_BYTES_MAX: u64 = 4096;

/// Reads the secret. It is read for each log-in, so that a new one counts
/// without a restart.
///
/// # Errors
///
/// Fails if the file cannot be read, or if it is not one line of text.
pub(crate) fn read(path: &Path) -> Result<String, SetUpError> {
    let read = || -> io::Result<String> {
        let mut text = String::new();
        // It may be a pipe or a device without an end.
        let file = File::open(path)?;
        file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|source| SetUpError::Read {
        path: path.to_owned(),
        source,
    })?;
    let secret = text.trim_end_matches(['\r', '\n']);
    let is_line = text.len() as u64 <= SECRET_BYTES_MAX
        && !secret.is_empty()
        && !secret.chars().any(char::is_control);
    is_line
        .then(|| secret.to_owned())
        .ok_or(SetUpError::NoSecret {
            path: path.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        for (text, expected) in [
            ("a b,c", Some("a b,c")),
            ("abc\r\n", Some("abc")),
            ("", None),
            ("\n", None),
            ("a\nb\n", None),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(&path).ok().as_deref(), expected, "{text:?}");
        }
        std::fs::write(&path, "a".repeat(5000)).unwrap();
        assert!(matches!(read(&path), Err(SetUpError::NoSecret { .. })));
        let missing = dir.path().join("none");
        let error = read(&missing).unwrap_err();
        assert!(error.to_string().contains("none"), "{error}");
    }
}
