//! `squall signatures compile`: signatures checked and packed into one file.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ArgMatches;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use squall_engine::SourceFile;

use super::check::Figures;
use super::{Ended, JSON, OUTPUT, paths, print_json, selection, unread};
use crate::signatures::{Selection, bundle};
use crate::{banner, signatures};

/// The answer in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    figures: Figures<'a>,
    bundle: String,
    sha256: &'a str,
    size_bytes: u64,
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<Ended> {
    let output = paths(matches, OUTPUT).pop().context("no file to write")?;
    let selection = selection(matches)?;
    let read = selection.read()?;
    anyhow::ensure!(
        unread(&read).is_empty(),
        "nothing is written, because not everything could be read"
    );
    let made = signatures::make(&read.files, selection.options(), None)
        .with_context(|| format!("cannot use the signatures of {selection}"))?;
    write(&output, &selection, &read.files)
        .with_context(|| format!("cannot write `{}`", output.display()))?;
    let bytes = fs::read(&output).with_context(|| format!("cannot read `{}`", output.display()))?;
    let sha256: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let summary = made.set.summary();
    if matches.get_flag(JSON) {
        print_json(&Answer {
            figures: Figures::of(&made.set),
            bundle: output.display().to_string(),
            sha256: &sha256,
            size_bytes: bytes.len() as u64,
        })?;
    } else {
        banner::print(&format!(
            "wrote {}: {} files, {} rules and {} IOCs, {} skipped\nsha256 {sha256}",
            output.display(),
            read.files.len(),
            summary.rules,
            summary.iocs,
            summary.skipped
        ));
    }
    Ok(if summary.skipped > 0 {
        Ended::Found
    } else {
        Ended::Clean
    })
}

/// Writes beside the target and renames: a service that watches the bundle
/// never sees half of it.
fn write(output: &Path, selection: &Selection, files: &[SourceFile]) -> anyhow::Result<()> {
    let mut part = output.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let roots: Vec<_> = selection
        .packaged
        .iter()
        .chain(&selection.custom)
        .map(PathBuf::as_path)
        .collect();
    let written = File::create(&part)
        .map_err(anyhow::Error::from)
        .and_then(|file| {
            let mut out = BufWriter::new(file);
            bundle::write(&mut out, files, |file| name_in_bundle(&file.name, &roots))?;
            out.flush()?;
            out.get_ref().sync_all()?;
            fs::rename(&part, output)?;
            Ok(())
        });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// Returns a file's path from the directory that was named; with several, below
/// that one's number and name, so that none hides another.
fn name_in_bundle(name: &str, roots: &[&Path]) -> String {
    let path = Path::new(name);
    let found = roots
        .iter()
        .enumerate()
        .find_map(|(number, root)| Some((number, root, path.strip_prefix(root).ok()?)));
    let Some((number, root, inner)) = found else {
        // Built in: a relative name already.
        return name.to_owned();
    };
    let root_name = root.file_name().unwrap_or_default().to_string_lossy();
    let inner = inner.to_string_lossy();
    // The root is the file itself.
    let inner = if inner.is_empty() {
        root_name.clone()
    } else {
        inner
    };
    if roots.len() == 1 {
        inner.into_owned()
    } else {
        format!("{number}-{}/{inner}", root_name.trim_start_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_bundle_are_relative_and_differ() {
        let one = [Path::new("/rules/a")];
        let two = [Path::new("/rules/a"), Path::new("../x.yar")];
        for (name, roots, expected) in [
            ("/rules/a/yara/x.yar", &one[..], "yara/x.yar"),
            ("builtin/yara/x.yar", &one, "builtin/yara/x.yar"),
            ("/rules/a/yara/x.yar", &two, "0-a/yara/x.yar"),
            ("../x.yar", &two, "1-x.yar/x.yar"),
        ] {
            assert_eq!(name_in_bundle(name, roots), expected);
        }
    }
}
