//! Signature files packed into one: a zip archive, as `squall signatures
//! compile` writes it or as a rule repository offers it for download.
//!
//! A bundle holds text and no compiled code: the engine runs compiled code
//! without checking it, so a bundle from somewhere else would have to be
//! trusted like a program. Nothing is ever unpacked: the files are read from
//! the archive, within limits, and a path that leads out of it (`../`) is
//! refused with the whole bundle, because nobody makes one by accident.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use jiff::tz::TimeZone;
use squall_engine::{
    Found, Included, SourceFile, expand_includes, is_hidden_source, is_signature_file,
};
use squall_types::SignatureOrigin;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::is_rule_file;

/// Most entries of a bundle, other files than signatures included.
const ENTRIES_MAX: usize = 200_000;
/// Most bytes of one file in a bundle.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Most bytes of all files in a bundle.
const TOTAL_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Tells whether a path is a bundle: a file that begins as zip archives do.
pub(crate) fn is_bundle(path: &Path) -> bool {
    let mut start = [0; 4];
    path.is_file()
        && File::open(path)
            .and_then(|mut file| file.read_exact(&mut start))
            .is_ok()
        && matches!(&start, b"PK\x03\x04" | b"PK\x05\x06")
}

/// Reads the signature files of a bundle, in the order of their paths.
///
/// # Errors
///
/// Fails if the bundle is damaged, exceeds a limit, or has a path that leads
/// out of it: half a set is not put in force.
pub(crate) fn read(path: &Path, origin: SignatureOrigin) -> anyhow::Result<Vec<SourceFile>> {
    read_as(path, path, origin)
}

/// Reads the bundle at `path` as if it were at `shown`, where it will be.
///
/// # Errors
///
/// Fails like [`read`].
pub(crate) fn read_as(
    path: &Path,
    shown: &Path,
    origin: SignatureOrigin,
) -> anyhow::Result<Vec<SourceFile>> {
    let file = File::open(path)
        .with_context(|| format!("cannot read signatures from `{}`", path.display()))?;
    read_from(BufReader::new(file), shown, origin)
        .with_context(|| format!("cannot read the signature bundle `{}`", path.display()))
}

fn read_from(
    archive: impl std::io::Read + Seek,
    path: &Path,
    origin: SignatureOrigin,
) -> anyhow::Result<Vec<SourceFile>> {
    let mut archive = ZipArchive::new(archive)?;
    anyhow::ensure!(
        archive.len() <= ENTRIES_MAX,
        "it has {} entries, limit is {ENTRIES_MAX}",
        archive.len()
    );
    let shown = |inner: &Path| format!("{}/{}", path.display(), inner.display());
    // Which entry has a path: any may be included.
    let mut entries = HashMap::new();
    let mut files = Vec::new();
    let mut left = TOTAL_BYTES_MAX;
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        let inner = inner_path(&entry.name()?)?;
        if !entry.is_file() {
            continue;
        }
        let modified = entry.last_modified().and_then(time_of);
        if !is_hidden(&inner) && is_signature_file(&inner) {
            let file = SourceFile {
                name: shown(&inner),
                content: content_of(entry, &inner, &mut left)?,
                origin,
                modified,
                included: Included::default(),
            };
            files.push((inner.clone(), file));
        }
        entries.insert(plain_path(&inner)?, index);
    }
    let mut find = |wanted: &Path| -> io::Result<Option<Found>> {
        let inner = plain_path(wanted)?;
        let Some(&index) = entries.get(&inner) else {
            return Ok(None);
        };
        let entry = archive.by_index(index)?;
        Ok(Some(Found {
            name: shown(&inner),
            modified: entry.last_modified().and_then(time_of),
            content: content_of(entry, &inner, &mut left).map_err(io::Error::other)?,
            path: inner,
        }))
    };
    for (inner, file) in &mut files {
        if is_rule_file(inner) {
            expand_includes(file, inner, &mut find);
        }
    }
    let mut files: Vec<_> = files.into_iter().map(|(_, file)| file).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Reads an entry, and takes its length off what is left for all.
fn content_of(entry: impl std::io::Read, inner: &Path, left: &mut u64) -> anyhow::Result<Vec<u8>> {
    let limit = FILE_BYTES_MAX.min(*left);
    let mut content = Vec::new();
    // Counted while reading: the size in the archive is only a claim.
    let read = entry
        .take(limit + 1)
        .read_to_end(&mut content)
        .with_context(|| format!("cannot unpack `{}`", inner.display()))? as u64;
    anyhow::ensure!(
        read <= limit,
        "`{}` is larger than a signature file may be",
        inner.display()
    );
    *left -= read;
    Ok(content)
}

/// Returns a path in the archive without `.` and `..`.
///
/// # Errors
///
/// Fails if it leads out.
fn plain_path(path: &Path) -> io::Result<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let inside = match part {
            Component::Normal(name) => {
                plain.push(name);
                true
            }
            Component::CurDir => true,
            Component::ParentDir => plain.pop(),
            Component::RootDir | Component::Prefix(_) => false,
        };
        if !inside {
            return Err(io::Error::other("it is not in the archive"));
        }
    }
    Ok(plain)
}

/// Checks that an archive is a whole bundle with signatures in it.
///
/// # Errors
///
/// Fails if [`read`] would, or if no signature file is in it.
pub(crate) fn check(archive: impl std::io::Read + Seek) -> anyhow::Result<()> {
    let files = read_from(archive, Path::new("bundle"), SignatureOrigin::Internal)?;
    anyhow::ensure!(!files.is_empty(), "there is no signature file in it");
    Ok(())
}

/// Writes a bundle of these files, each under the path that `name_of` gives it.
/// The same files make the same bytes.
///
/// # Errors
///
/// Fails if `out` does, or if two files have one path.
pub(crate) fn write(
    out: impl Write + Seek,
    files: &[SourceFile],
    name_of: impl Fn(&SourceFile) -> String,
) -> anyhow::Result<()> {
    let mut archive = ZipWriter::new(out);
    let mut names = HashSet::new();
    for file in files {
        let name = name_of(file);
        anyhow::ensure!(
            names.insert(name.clone()),
            "two files would be `{name}` in the bundle, one of them `{}`",
            file.name
        );
        let options = SimpleFileOptions::default()
            .unix_permissions(0o644)
            .large_file(file.content.len() as u64 >= u64::from(u32::MAX))
            .last_modified_time(zip_time(file.modified));
        archive.start_file(name, options)?;
        archive.write_all(&file.content)?;
    }
    archive.finish()?.flush()?;
    Ok(())
}

/// Returns the path of an entry, which must stay inside.
fn inner_path(name: &str) -> anyhow::Result<PathBuf> {
    let path = PathBuf::from(name.replace('\\', "/"));
    let inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    anyhow::ensure!(inside, "the path {name:?} leads out of the bundle");
    Ok(path)
}

fn is_hidden(path: &Path) -> bool {
    path.components()
        .any(|part| is_hidden_source(part.as_os_str()))
}

/// Zip archives name times without a zone; ours mean UTC.
fn time_of(time: zip::DateTime) -> Option<SystemTime> {
    let parts = (time.year(), time.month(), time.day());
    let [year, month, day, hour, minute, second] = [
        i16::try_from(parts.0).ok()?,
        parts.1.into(),
        parts.2.into(),
        time.hour().into(),
        time.minute().into(),
        time.second().into(),
    ];
    let narrow = |part: i16| i8::try_from(part).ok();
    let civil = jiff::civil::DateTime::new(
        year,
        narrow(month)?,
        narrow(day)?,
        narrow(hour)?,
        narrow(minute)?,
        narrow(second)?,
        0,
    );
    let timestamp = TimeZone::UTC.to_timestamp(civil.ok()?).ok()?;
    let seconds = u64::try_from(timestamp.as_second()).ok()?;
    Some(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn zip_time(time: Option<SystemTime>) -> zip::DateTime {
    let made = || -> Option<zip::DateTime> {
        let since = time?.duration_since(UNIX_EPOCH).ok()?;
        let seconds = i64::try_from(since.as_secs()).ok()?;
        let civil = TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(seconds).ok()?);
        let part = |part: i8| u8::try_from(part).ok();
        zip::DateTime::from_date_and_time(
            u16::try_from(civil.year()).ok()?,
            part(civil.month())?,
            part(civil.day())?,
            part(civil.hour())?,
            part(civil.minute())?,
            part(civil.second())?,
        )
        .ok()
    };
    made().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use squall_engine::{CompileOptions, SignatureSet};

    use super::*;

    fn packed(files: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut archive = ZipWriter::new(&mut bytes);
        for (name, text) in files {
            archive
                .start_file(*name, SimpleFileOptions::default())
                .expect("an entry");
            archive.write_all(text.as_bytes()).expect("written");
        }
        archive.finish().expect("finished");
        bytes.into_inner()
    }

    fn read_packed(bytes: &[u8]) -> anyhow::Result<Vec<SourceFile>> {
        read_from(
            Cursor::new(bytes),
            Path::new("x.zip"),
            SignatureOrigin::Custom,
        )
    }

    #[test]
    fn what_is_written_is_read_again_with_its_times() {
        let modified = Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        let file = |name: &str| SourceFile {
            name: name.to_owned(),
            content: name.as_bytes().repeat(100),
            origin: SignatureOrigin::Custom,
            modified,
            included: Included::default(),
        };
        let files = [file("a.yar"), file("b/hash-iocs.txt")];
        let mut bytes = Cursor::new(Vec::new());
        write(&mut bytes, &files, |file| file.name.clone()).expect("written");
        let mut again = Cursor::new(Vec::new());
        write(&mut again, &files, |file| file.name.clone()).expect("written");
        assert_eq!(bytes.get_ref(), again.get_ref());
        let found = read_packed(bytes.get_ref()).expect("read");
        let names: Vec<_> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["x.zip/a.yar", "x.zip/b/hash-iocs.txt"]);
        for (found, file) in found.iter().zip(&files) {
            assert_eq!(found.content, file.content);
            assert_eq!(found.modified, modified);
        }
    }

    #[test]
    fn other_and_hidden_files_are_passed_over() {
        let bytes = packed(&[
            ("top/readme.md", "no"),
            ("top/.git/x.yar", "no"),
            ("top/z.yara", "z"),
            ("top/y.yar", "y"),
        ]);
        let found = read_packed(&bytes).expect("read");
        let texts: Vec<_> = found.iter().map(|file| file.content.as_slice()).collect();
        assert_eq!(texts, [b"y", b"z"]);
    }

    #[test]
    fn rules_include_what_is_in_the_archive() {
        let bytes = packed(&[
            ("top/a/index.yar", "include \"./../b/x.inc\"\ninclude \"y\""),
            ("top/b/x.inc", "import \"pe\" include \"z\""),
            ("top/b/z", "import \"math\""),
            ("top/a/y", "import \"hash\""),
            ("top/hash-iocs.txt", "include \"a/y\""),
        ]);
        let found = read_packed(&bytes).expect("read");
        let texts: Vec<_> = found
            .iter()
            .map(|file| String::from_utf8_lossy(&file.content).replace('\n', ""))
            .collect();
        assert_eq!(
            texts,
            [
                "import \"pe\" import \"math\"import \"hash\"",
                "include \"a/y\""
            ]
        );
    }

    #[test]
    fn rules_include_nothing_outside_of_the_archive() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let outside = dir.path().join("x.inc");
        std::fs::write(&outside, "import \"pe\"").expect("written");
        for name in [&*outside.display().to_string(), "../../x.inc", "none"] {
            let statement = format!("include \"{name}\"\n");
            let found = read_packed(&packed(&[("a/x.yar", &statement)])).expect("read");
            // Stays, and is a problem of the set.
            assert_eq!(found[0].content, statement.as_bytes());
            let set = SignatureSet::compile(&found, CompileOptions::default(), |_| {});
            let problems = set.expect("a set").problems().to_vec();
            assert!(
                problems[0].reason.starts_with("cannot include"),
                "{problems:?}"
            );
        }
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        for name in ["../x.yar", "a/../../x.yar", "/etc/x.yar", "..\\x.yar"] {
            let error = read_packed(&packed(&[("good.yar", "a"), (name, "b")]))
                .expect_err(name)
                .to_string();
            assert!(error.contains("leads out"), "{error}");
        }
    }

    #[test]
    fn a_truncated_or_damaged_bundle_is_refused() {
        let text = "rule A { condition: true } ".repeat(200);
        let bytes = packed(&[("a.yar", &text), ("b.yar", &text)]);
        for len in [0, 10, bytes.len() / 2, bytes.len() - 1] {
            assert!(read_packed(&bytes[..len]).is_err(), "{len}");
        }
        let mut damaged = bytes;
        damaged[60] ^= 0xff;
        assert!(read_packed(&damaged).is_err());
    }
}
