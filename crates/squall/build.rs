//! Embeds the starter signatures and the time of the build.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, io};

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let signatures = manifest.join("../../config/signatures/yara");
    println!("cargo::rerun-if-changed={}", signatures.display());
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");

    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    // Compressed, because the rules' texts are what the rules look for: with
    // plain text inside, the program would be reported as malware by itself.
    let packed = fs::File::create(out.join("starter.deflate"))?;
    let mut packed = DeflateEncoder::new(packed, Compression::best());
    for path in rule_files(&signatures)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read(&path)?;
        writeln!(packed, "{name}\t{}", text.len())?;
        packed.write_all(&text)?;
    }
    packed.finish()?;

    println!("cargo::rustc-env=SQUALL_BUILD_EPOCH={}", build_epoch());
    Ok(())
}

fn rule_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yar") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Honours `SOURCE_DATE_EPOCH`, so that packages can be built reproducibly.
fn build_epoch() -> u64 {
    env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs())
        })
}
