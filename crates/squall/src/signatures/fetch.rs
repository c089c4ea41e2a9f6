//! Getting a bundle from where it is offered.
//!
//! All that comes from there is hostile until it was checked: it is bounded in
//! size and time, compared with a checksum or a signature where one is
//! configured, and must be a bundle. Nothing of it is a path on this machine.

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use minisign_verify::{PublicKey, Signature};
use reqwest::header::{
    ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::{Client, StatusCode};
use sha2::{Digest as _, Sha256};
use squall_engine::read_directory;
use squall_types::SignatureOrigin;

use super::bundle;
use super::store::{SourceState, hex};
use crate::config;
use crate::config::settings::SignatureSource;

/// The largest bundle; the largest public set is a twentieth of it.
const BUNDLE_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// The largest signature of a bundle.
const SIGNATURE_BYTES_MAX: u64 = 8 * 1024;
/// The longest time for a connection, for a pause, and for all of it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(600);
/// The longest header that is kept and sent back.
const VALIDATOR_LEN_MAX: usize = 1024;

/// What a source offers.
pub(crate) enum Fetched {
    /// What is there already.
    Unchanged,
    /// A bundle, checked, and what the source says of it.
    Bundle(Vec<u8>, SourceState),
}

/// Fetches from a source what differs from `known`.
///
/// # Errors
///
/// Fails if the source cannot be reached, gives something else than a whole
/// bundle, or if the checksum or the signature is wrong.
pub(crate) async fn fetch(
    source: &SignatureSource,
    known: Option<&SourceState>,
    key: Option<&PublicKey>,
) -> anyhow::Result<Fetched> {
    // What is pinned does not change.
    if let (Some(pinned), Some(known)) = (&source.sha256, known)
        && *pinned == known.sha256
    {
        return Ok(Fetched::Unchanged);
    }
    let location = &source.location;
    let got = if source.is_address() {
        download(location, known).await
    } else {
        read(Path::new(location))
    };
    // Errors are logged and shown: no password of the address is part of them.
    let shown = config::public(location);
    let Some((bytes, state)) = got.with_context(|| format!("cannot fetch `{shown}`"))? else {
        return Ok(Fetched::Unchanged);
    };
    let check = async {
        if let Some(pinned) = &source.sha256 {
            let found = hex(&Sha256::digest(&bytes));
            anyhow::ensure!(found == *pinned, "its sha256 is {found}, expected {pinned}");
        }
        if let Some(key) = key {
            let signature = signature_of(source).await?;
            verify(&bytes, &signature, key)?;
        }
        bundle::check(Cursor::new(&bytes))
    };
    check
        .await
        .with_context(|| format!("cannot use what `{shown}` offers"))?;
    if known.is_some_and(|known| known.sha256 == hex(&Sha256::digest(&bytes))) {
        return Ok(Fetched::Unchanged);
    }
    Ok(Fetched::Bundle(bytes, state))
}

/// Reads the public key that bundles are signed with.
///
/// # Errors
///
/// Fails if the file is not the public key of a minisign key pair.
pub(crate) fn read_key(path: &Path) -> anyhow::Result<PublicKey> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the public key `{}`", path.display()))?;
    let text = text.trim();
    PublicKey::decode(text)
        .or_else(|_| PublicKey::from_base64(text))
        .map_err(|error| anyhow::anyhow!("`{}` is no minisign public key: {error}", path.display()))
}

fn client() -> anyhow::Result<Client> {
    Client::builder()
        .https_only(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .timeout(TOTAL_TIMEOUT)
        .user_agent(concat!("squall/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("cannot set up the HTTP client")
}

async fn download(
    url: &str,
    known: Option<&SourceState>,
) -> anyhow::Result<Option<(Vec<u8>, SourceState)>> {
    let mut request = client()?.get(url);
    for (name, value) in [
        (IF_NONE_MATCH, known.and_then(|known| known.etag.as_ref())),
        (
            IF_MODIFIED_SINCE,
            known.and_then(|known| known.last_modified.as_ref()),
        ),
    ] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.map_err(reqwest::Error::without_url)?;
    if answer.status() == StatusCode::NOT_MODIFIED && known.is_some() {
        return Ok(None);
    }
    anyhow::ensure!(
        answer.status() == StatusCode::OK,
        "the answer is {}, expected 200",
        answer.status()
    );
    let state = SourceState {
        location: url.to_owned(),
        sha256: String::new(),
        etag: validator(answer.headers(), ETAG),
        last_modified: validator(answer.headers(), LAST_MODIFIED),
    };
    let bytes = bounded(answer, BUNDLE_BYTES_MAX).await?;
    Ok(Some((bytes, state)))
}

/// Receives a body, which may not be longer than `limit` whatever its header
/// says, and not shorter than its header says.
async fn bounded(mut answer: reqwest::Response, limit: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let next = async |answer: &mut reqwest::Response| {
        answer.chunk().await.map_err(reqwest::Error::without_url)
    };
    while let Some(chunk) = next(&mut answer).await? {
        anyhow::ensure!(
            (bytes.len() + chunk.len()) as u64 <= limit,
            "it is larger than {limit} bytes"
        );
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn validator(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= VALIDATOR_LEN_MAX).then(|| value.to_owned())
}

/// Reads a bundle, or packs a directory into one.
fn read(path: &Path) -> anyhow::Result<Option<(Vec<u8>, SourceState)>> {
    let state = SourceState {
        location: path.display().to_string(),
        ..SourceState::default()
    };
    if !path.is_dir() {
        return Ok(Some((read_bounded(path, BUNDLE_BYTES_MAX)?, state)));
    }
    let (files, errors) = read_directory(path, SignatureOrigin::Internal)?;
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    let mut bytes = Cursor::new(Vec::new());
    bundle::write(&mut bytes, &files, |file| {
        let inner = Path::new(&file.name).strip_prefix(path);
        inner.map_or_else(|_| file.name.clone(), |inner| inner.display().to_string())
    })?;
    Ok(Some((bytes.into_inner(), state)))
}

fn read_bounded(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    // Opening a pipe would wait for somebody to write into it.
    anyhow::ensure!(fs::metadata(path)?.is_file(), "it is not a file");
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)?;
    anyhow::ensure!(
        bytes.len() as u64 <= limit,
        "it is larger than {limit} bytes"
    );
    Ok(bytes)
}

/// Gets the signature beside a bundle.
async fn signature_of(source: &SignatureSource) -> anyhow::Result<String> {
    let get = async {
        let bytes = if source.is_address() {
            let mut url = reqwest::Url::parse(&source.location)?;
            url.set_path(&format!("{}.minisig", url.path()));
            let answer = client()?.get(url).send().await;
            let answer = answer.and_then(reqwest::Response::error_for_status);
            let answer = answer.map_err(reqwest::Error::without_url)?;
            bounded(answer, SIGNATURE_BYTES_MAX).await?
        } else {
            read_bounded(&source.signature_path(), SIGNATURE_BYTES_MAX)?
        };
        anyhow::Ok(String::from_utf8(bytes)?)
    };
    get.await
        .context("`signature-public-key` is set and there is no signature (`.minisig`) beside it")
}

fn verify(bytes: &[u8], signature: &str, key: &PublicKey) -> anyhow::Result<()> {
    let signature = Signature::decode(signature)
        .map_err(|error| anyhow::anyhow!("its signature cannot be read: {error}"))?;
    key.verify(bytes, &signature, false)
        .map_err(|error| anyhow::anyhow!("its signature is wrong: {error}"))
}
