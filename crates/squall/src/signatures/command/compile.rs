//! `squall signatures compile`: signatures checked and packed into one file.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ArgMatches;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use squall_engine::SourceFile;
use squall_types::SignatureOrigin;

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
    let roots = selection.paths();
    // Those without a file give no name to tell apart.
    let is_used = |root: &&PathBuf| {
        files
            .iter()
            .any(|file| Path::new(&file.name).starts_with(root))
    };
    let roots: Vec<_> = roots.iter().filter(is_used).map(PathBuf::as_path).collect();
    let is_alone = roots.len() == 1 && !selection.builtin;
    let written = File::create(&part)
        .map_err(anyhow::Error::from)
        .and_then(|file| {
            let mut out = BufWriter::new(file);
            bundle::write(&mut out, files, |file| {
                name_in_bundle(&file.name, &roots, is_alone)
            })?;
            out.flush()?;
            out.get_ref().sync_all()?;
            check(&part, files.len())?;
            fs::rename(&part, output)?;
            Ok(())
        });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// Makes sure that whoever loads the bundle gets all that is in it.
fn check(bundle: &Path, files: usize) -> anyhow::Result<()> {
    let found = bundle::read(bundle, SignatureOrigin::Internal)
        .context("the bundle could not be loaded again")?
        .len();
    anyhow::ensure!(
        found == files,
        "only {found} of {files} signature files could be loaded from the bundle again"
    );
    Ok(())
}

/// Returns a file's path from the directory that was named; unless that is
/// the only one, below its number and name, so that none hides another.
fn name_in_bundle(name: &str, roots: &[&Path], is_alone: bool) -> String {
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
    // A hidden directory may be named, and a hidden file is passed over.
    let root_name = root_name.trim_start_matches('.');
    let inner = inner.to_string_lossy();
    // The root is the file itself.
    let inner = if inner.is_empty() {
        root_name.into()
    } else {
        inner
    };
    if is_alone {
        inner.into_owned()
    } else {
        format!("{number}-{root_name}/{inner}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_bundle_are_relative_and_differ() {
        let one = [Path::new("/rules/a")];
        let two = [Path::new("/rules/a"), Path::new("../x.yar")];
        let hidden = [Path::new("/rules/.x.yar")];
        let stored = [
            Path::new("data/signatures/0f/current.zip"),
            Path::new("data/own-signatures"),
        ];
        for (name, roots, is_alone, expected) in [
            ("/rules/a/yara/x.yar", &one[..], true, "yara/x.yar"),
            ("/rules/.x.yar", &hidden, true, "x.yar"),
            ("/rules/a/builtin/x.yar", &one, false, "0-a/builtin/x.yar"),
            ("builtin/x.yar", &one, false, "builtin/x.yar"),
            ("/rules/a/yara/x.yar", &two, false, "0-a/yara/x.yar"),
            ("../x.yar", &two, false, "1-x.yar/x.yar"),
            (
                "data/signatures/0f/current.zip/set/x.yar",
                &stored,
                false,
                "0-current.zip/set/x.yar",
            ),
            (
                "data/own-signatures/x.yar",
                &stored,
                false,
                "1-own-signatures/x.yar",
            ),
        ] {
            assert_eq!(name_in_bundle(name, roots, is_alone), expected);
        }
    }

    #[test]
    fn a_bundle_that_nobody_could_load_is_not_left() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let output = dir.path().join("set.zip");
        let file = |name: &str| SourceFile {
            name: name.to_owned(),
            content: b"rule A { condition: true }".to_vec(),
            origin: SignatureOrigin::Custom,
            modified: None,
            included: squall_engine::Included::default(),
        };
        let selection = Selection::default();
        for names in [&["/a.yar"][..], &["a.yar", "b/.hidden.yar"], &["a.yar"; 2]] {
            let files: Vec<_> = names.iter().map(|name| file(name)).collect();
            write(&output, &selection, &files).expect_err("refused");
            let left = fs::read_dir(dir.path()).expect("listed").count();
            assert_eq!(left, 0, "{names:?}");
        }
        write(&output, &selection, &[file("a.yar")]).expect("written");
        assert!(output.exists());
    }
}
