//! TLS: certificates from files, reloaded when they change, or made here; and
//! those of clients.

mod clients;

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, VerifierBuilderError};
use rustls::sign::CertifiedKey;
use sha2::Digest as _;
use tokio_rustls::TlsAcceptor;

pub use clients::ClientAuth;
pub(crate) use clients::ClientCertificate;
use clients::{Checker, Clients};

/// How often the files are looked at, at most.
const RELOAD_INTERVAL: Duration = Duration::from_secs(2);
/// For how many years a certificate made here is valid.
const SELF_SIGNED_YEARS: i16 = 10;
const SELF_SIGNED_CERT: &str = "server-cert.pem";
const SELF_SIGNED_KEY: &str = "server-key.pem";

/// A certificate and key that connections are accepted with; cheap to clone.
/// Offers HTTP/2 and HTTP/1.1, TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    /// Made anew when what clients are checked with changes: what they kept of
    /// earlier connections is of no use then.
    offer: ArcSwap<Offer>,
    files: Arc<Files>,
    clients: Option<Clients>,
}

/// The certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// The file holds no certificate.
    #[error("`{path}` holds no certificate in PEM form")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key cannot be used, or do not belong together.
    #[error("cannot use the certificate `{cert}` with the key `{key}`")]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// A certificate cannot be that of an authority.
    #[error("`{path}` holds a certificate that cannot be that of an authority")]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The file holds no list of revoked certificates.
    #[error("`{path}` holds no list of revoked certificates in PEM form")]
    NoRevocationList {
        /// The file.
        path: PathBuf,
    },
    /// Client certificates cannot be checked with a file.
    #[error("cannot check client certificates with `{path}`")]
    Clients {
        /// The file.
        path: PathBuf,
        /// Why.
        source: VerifierBuilderError,
    },
    /// A self-signed certificate cannot be made.
    #[error("cannot make a self-signed certificate")]
    Make(#[source] rcgen::Error),
    /// A self-signed certificate cannot be kept.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What connections are accepted with.
struct Offer {
    config: Arc<ServerConfig>,
    /// The checker of client certificates in it.
    checked_by: u64,
}

impl Offer {
    fn new(files: &Arc<Files>, checker: Option<&Checker>) -> Result<Self, TlsError> {
        Ok(Self {
            config: Arc::new(files.config(checker)?),
            checked_by: checker.map_or(0, Checker::number),
        })
    }
}

impl Tls {
    /// Takes certificate chain and key from PEM files. When the files change,
    /// connections from then on get the new ones; if those cannot be used the
    /// old ones stay and the log says why.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read or the two do not belong together.
    pub fn from_files(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let files = Arc::new(Files::open(cert.into(), key.into(), &provider)?);
        Self::new(files, None)
    }

    /// Asks clients for certificates, too. When the files of `auth` change,
    /// those of all requests from then on are checked with the new ones; if
    /// these cannot be used the old ones stay and the log says why.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be read or is not what it should be.
    pub fn with_clients(self, auth: ClientAuth) -> Result<Self, TlsError> {
        let files = Arc::clone(&self.0.files);
        let clients = Clients::open(auth, &files.provider)?;
        Self::new(files, Some(clients))
    }

    fn new(files: Arc<Files>, clients: Option<Clients>) -> Result<Self, TlsError> {
        let checker = clients.as_ref().map(Clients::current);
        let offer = Offer::new(&files, checker.as_deref())?;
        Ok(Self(Arc::new(Inner {
            offer: ArcSwap::from_pointee(offer),
            files,
            clients,
        })))
    }

    /// Makes a certificate for `names` (host names and addresses) signed by
    /// itself, keeps it in `dir`, and takes what is kept there from then on.
    /// The key is readable by its owner only.
    ///
    /// # Errors
    ///
    /// Fails if the certificate cannot be made, written or read.
    pub fn self_signed(dir: &Path, names: &[String]) -> Result<Self, TlsError> {
        let (cert, key) = (dir.join(SELF_SIGNED_CERT), dir.join(SELF_SIGNED_KEY));
        if !(cert.exists() && key.exists()) {
            make_private_dir(dir)?;
            make_self_signed(&cert, &key, names)?;
        }
        Self::from_files(cert, key)
    }

    /// Returns the SHA-256 fingerprint of the certificate in use, as lower
    /// case hex digits, for a client that wants to pin it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let current = self.0.files.current.load();
        let Some(cert) = current.cert.first() else {
            return String::new();
        };
        let digest = sha2::Sha256::digest(cert);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns what the next connection is accepted with, and the number of
    /// the checker of client certificates in it.
    pub(crate) fn acceptor(&self) -> (TlsAcceptor, u64) {
        self.0.files.reload_if_changed();
        self.reload_clients();
        let offer = self.0.offer.load();
        let acceptor = TlsAcceptor::from(Arc::clone(&offer.config));
        (acceptor, offer.checked_by)
    }

    /// Takes what clients are checked with from files that changed.
    fn reload_clients(&self) {
        let Some(clients) = &self.0.clients else {
            return;
        };
        if !clients.reload_if_changed() {
            return;
        }
        match Offer::new(&self.0.files, Some(&clients.current())) {
            Ok(offer) => self.0.offer.store(Arc::new(offer)),
            // Whoever connects is checked with the old files first, and with
            // the new ones before it counts.
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot ask clients for other certificates"
            ),
        }
    }

    fn checker(&self) -> Option<Arc<Checker>> {
        self.0.clients.as_ref().map(Clients::current)
    }
}

/// The files and what was read from them.
#[derive(Debug)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    checked: Instant,
}

/// When two files were changed, and their sizes.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Files {
    fn open(cert: PathBuf, key: PathBuf, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        // Taken first: a change while they are read is seen at the next check.
        let stamp = [stamp(&cert), stamp(&key)];
        let current = read(&cert, &key, provider)?;
        Ok(Self {
            cert,
            key,
            provider: Arc::clone(provider),
            current: ArcSwap::from_pointee(current),
            seen: Mutex::new(Seen {
                stamp,
                checked: Instant::now(),
            }),
        })
    }

    /// Two `stat` calls every few seconds; they need no thread of their own.
    fn reload_if_changed(&self) {
        let mut seen = crate::lock(&self.seen);
        if seen.checked.elapsed() < RELOAD_INTERVAL {
            return;
        }
        seen.checked = Instant::now();
        let stamp = [stamp(&self.cert), stamp(&self.key)];
        if stamp == seen.stamp {
            return;
        }
        match read(&self.cert, &self.key, &self.provider) {
            Ok(new) => {
                self.current.store(Arc::new(new));
                tracing::info!(cert = %self.cert.display(), "loaded the new certificate");
            }
            // Often only the first of two files has been replaced yet.
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the certificate changed but cannot be used; the old one stays"
            ),
        }
        seen.stamp = stamp;
    }

    /// Makes what connections are accepted with.
    fn config(self: &Arc<Self>, checker: Option<&Checker>) -> Result<ServerConfig, TlsError> {
        let resolver = Arc::clone(self);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|source| self.unusable(source))?;
        let builder = match checker {
            Some(checker) => builder.with_client_cert_verifier(Arc::clone(&checker.verifier)),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(resolver);
        // What a session needs goes to the client, encrypted: the memory of the
        // last 256 sessions, which is the default, does not last for a fleet.
        config.ticketer = ring::Ticketer::new().map_err(|source| self.unusable(source))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn unusable(&self, source: rustls::Error) -> TlsError {
        TlsError::Unusable {
            cert: self.cert.clone(),
            key: self.key.clone(),
            source,
        }
    }
}

impl ResolvesServerCert for Files {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn cannot_read(path: &Path) -> impl FnOnce(pem::Error) -> TlsError + use<> {
    let path = path.to_owned();
    move |source| TlsError::Read { path, source }
}

fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = CertificateDer::pem_file_iter(cert)
        .map_err(cannot_read(cert))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(cannot_read(cert))?;
    if chain.is_empty() {
        let path = cert.to_owned();
        return Err(TlsError::NoCertificate { path });
    }
    let private_key = PrivateKeyDer::from_pem_file(key).map_err(cannot_read(key))?;
    CertifiedKey::from_der(chain, private_key, provider).map_err(|source| TlsError::Unusable {
        cert: cert.to_owned(),
        key: key.to_owned(),
        source,
    })
}

fn make_self_signed(cert: &Path, key: &Path, names: &[String]) -> Result<(), TlsError> {
    let mut params = rcgen::CertificateParams::new(names).map_err(TlsError::Make)?;
    let today = jiff::tz::TimeZone::UTC
        .to_datetime(jiff::Timestamp::now())
        .date();
    let year = i32::from(today.year());
    params.not_before = rcgen::date_time_ymd(year - 1, 1, 1);
    params.not_after = rcgen::date_time_ymd(year + i32::from(SELF_SIGNED_YEARS), 1, 1);
    let common_name = names.first().map_or("squall", String::as_str);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, common_name);
    let pair = rcgen::KeyPair::generate().map_err(TlsError::Make)?;
    let made = params.self_signed(&pair).map_err(TlsError::Make)?;
    write_private(key, &pair.serialize_pem())?;
    write_private(cert, &made.pem())
}

/// Makes a directory that only its owner can look into.
fn make_private_dir(dir: &Path) -> Result<(), TlsError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| TlsError::Write {
            path: dir.to_owned(),
            source,
        })
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_private(path: &Path, text: &str) -> Result<(), TlsError> {
    let partial = path.with_extension("pem.new");
    let write = || {
        let _ = fs::remove_file(&partial);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(|source| TlsError::Write {
        path: path.to_owned(),
        source,
    })
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("cert", &self.0.files.cert)
            .finish_non_exhaustive()
    }
}
