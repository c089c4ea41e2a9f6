//! The starter set, which is built into the binary.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::time::{Duration, UNIX_EPOCH};

use flate2::read::DeflateDecoder;
use squall_engine::{Included, SourceFile};
use squall_types::SignatureOrigin;

/// The starter rule files: for each a line `NAME<TAB>LENGTH`, then its text;
/// all of it deflated (see `build.rs`).
static STARTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/starter.deflate"));

/// What the names of these files begin with.
pub(crate) const FOLDER: &str = "builtin";

/// When the binary was built, in seconds since 1970-01-01 UTC.
pub(crate) const BUILD_EPOCH: &str = env!("SQUALL_BUILD_EPOCH");

/// Returns the files built into the binary.
///
/// # Errors
///
/// Fails only if the binary itself is damaged.
pub(crate) fn files() -> io::Result<Vec<SourceFile>> {
    let built = BUILD_EPOCH.parse().map(Duration::from_secs).ok();
    let mut reader = BufReader::new(DeflateDecoder::new(STARTER));
    let mut files = Vec::new();
    let mut head = String::new();
    while reader.read_line(&mut head)? > 0 {
        let (name, len) = head
            .trim_end()
            .split_once('\t')
            .and_then(|(name, len)| Some((name, len.parse::<usize>().ok()?)))
            .ok_or(io::ErrorKind::InvalidData)?;
        let mut content = vec![0; len];
        reader.read_exact(&mut content)?;
        files.push(SourceFile {
            name: format!("{FOLDER}/yara/{name}"),
            content,
            origin: SignatureOrigin::Internal,
            modified: built.map(|since| UNIX_EPOCH + since),
            included: Included::default(),
        });
        head.clear();
    }
    Ok(files)
}
