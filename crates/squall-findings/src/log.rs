//! Reads findings back from a JSON log, compressed with gzip or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use squall_api::v1::Finding;

/// Longest line that is read; a longer one is passed over.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 * 1024;

/// Why a log could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the log `{}`", path.display())]
pub struct LogError {
    path: PathBuf,
    source: io::Error,
}

/// Reads a JSON log and hands on each finding in it; `take` returns whether to
/// go on. Returns how many lines were no findings: they were passed over.
///
/// # Errors
///
/// Fails if the file cannot be opened or read; what came before was handed on.
pub fn read_log(path: &Path, mut take: impl FnMut(Finding) -> bool) -> Result<u64, LogError> {
    let failed = |source| LogError {
        path: path.to_owned(),
        source,
    };
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path).map_err(failed)?);
    if file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]) {
        let unpacked = MultiGzDecoder::new(file);
        read(BufReader::with_capacity(BUFFER_BYTES, unpacked), &mut take).map_err(failed)
    } else {
        read(file, &mut take).map_err(failed)
    }
}

/// Reads the findings in the last `bytes_max` bytes of a log that is not
/// compressed, as [`read_log`] does.
///
/// # Errors
///
/// Fails if the file cannot be opened or read; what came before was handed on.
pub fn read_log_end(
    path: &Path,
    bytes_max: u64,
    mut take: impl FnMut(Finding) -> bool,
) -> Result<u64, LogError> {
    let open = || -> io::Result<BufReader<File>> {
        let mut file = File::open(path)?;
        let begin = file.metadata()?.len().saturating_sub(bytes_max);
        file.seek(SeekFrom::Start(begin))?;
        let mut log = BufReader::with_capacity(BUFFER_BYTES, file);
        if begin > 0 {
            // It begins within a line.
            log.skip_until(b'\n')?;
        }
        Ok(log)
    };
    open()
        .and_then(|log| read(log, &mut take))
        .map_err(|source| LogError {
            path: path.to_owned(),
            source,
        })
}

fn read(mut log: impl BufRead, take: &mut impl FnMut(Finding) -> bool) -> io::Result<u64> {
    let mut passed_over = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        let len = log
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        if len == 0 {
            return Ok(passed_over);
        }
        if len as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
            log.skip_until(b'\n')?;
            passed_over += 1;
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(finding) => {
                if !take(finding) {
                    return Ok(passed_over);
                }
            }
            Err(_) => passed_over += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_findings_are_counted() {
        let log = b"\n{\"type\":\"other\"}\nnot json\n{\"torn\":";
        let passed_over = read(&log[..], &mut |_| panic!("no finding")).unwrap();
        assert_eq!(passed_over, 3);
    }

    #[test]
    fn a_missing_log_is_named() {
        let error = read_log(Path::new("/no/such.log"), |_| true).unwrap_err();
        assert!(error.to_string().contains("/no/such.log"));
    }

    #[test]
    fn the_end_of_a_log_begins_with_a_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.json");
        std::fs::write(&path, b"one\ntwo\nthree\n").unwrap();
        for (bytes, lines) in [(1000, 3), (14, 3), (10, 1), (6, 0), (0, 0)] {
            assert_eq!(
                read_log_end(&path, bytes, |_| true).unwrap(),
                lines,
                "{bytes}"
            );
        }
    }
}
