//! Certificates that clients show: checked against files, which are read again
//! when they change.
//!
//! A connection, and what a client keeps of one to resume it, lives on when
//! the files change. So what was checked with earlier files is checked again
//! before it counts: a certificate that is revoked is good for nothing within
//! seconds, whatever the client still has open.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConnection};
use squall_access::{Subject, SubjectError};

use super::{RELOAD_INTERVAL, Stamp, Tls, TlsError, cannot_read, stamp};

/// Which client certificates are good.
#[derive(Clone, Debug)]
pub struct ClientAuth {
    /// The certificates of the authorities that issue them, in a PEM file.
    pub ca: PathBuf,
    /// Those that were revoked, in a PEM file.
    pub crl: Option<PathBuf>,
    /// Whether a client without one is sent away.
    pub required: bool,
}

/// The files and what was made of them.
#[derive(Debug)]
pub(super) struct Clients {
    auth: ClientAuth,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<Checker>,
    seen: Mutex<Seen>,
}

/// Checks certificates by the files of one moment.
#[derive(Debug)]
pub(super) struct Checker {
    /// Tells it from those before and after it; from 1.
    number: u64,
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
}

#[derive(Debug)]
struct Seen {
    /// Of the files that are in use.
    stamp: Stamp,
    /// Of the files that could not be used.
    refused: Option<Stamp>,
    checked: Instant,
}

impl Checker {
    pub(super) const fn number(&self) -> u64 {
        self.number
    }
}

impl Clients {
    pub(super) fn open(auth: ClientAuth, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        // Taken first: a change while they are read is seen at the next check.
        let stamp = auth.stamp();
        let verifier = auth.verifier(provider)?;
        Ok(Self {
            auth,
            provider: Arc::clone(provider),
            current: ArcSwap::from_pointee(Checker {
                number: 1,
                verifier,
            }),
            seen: Mutex::new(Seen {
                stamp,
                refused: None,
                checked: Instant::now(),
            }),
        })
    }

    pub(super) fn current(&self) -> Arc<Checker> {
        self.current.load_full()
    }

    /// Reads the files again if they changed; tells whether others are in use
    /// then. A few `stat` calls every few seconds need no thread of their own.
    pub(super) fn reload_if_changed(&self) -> bool {
        let mut seen = crate::lock(&self.seen);
        if seen.checked.elapsed() < RELOAD_INTERVAL {
            return false;
        }
        seen.checked = Instant::now();
        let stamp = self.auth.stamp();
        if stamp == seen.stamp {
            return false;
        }
        match self.auth.verifier(&self.provider) {
            Ok(verifier) => {
                let number = self.current.load().number + 1;
                self.current.store(Arc::new(Checker { number, verifier }));
                seen.stamp = stamp;
                seen.refused = None;
                tracing::info!(
                    ca = %self.auth.ca.display(),
                    "loaded what client certificates are checked with again"
                );
                true
            }
            // Tried again at each look, but told once.
            Err(error) => {
                if seen.refused != Some(stamp) {
                    seen.refused = Some(stamp);
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "what client certificates are checked with changed but cannot be used; \
                         the old files stay in force"
                    );
                }
                false
            }
        }
    }
}

impl ClientAuth {
    fn stamp(&self) -> Stamp {
        [stamp(&self.ca), self.crl.as_deref().and_then(stamp)]
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&self.ca)
            .map_err(cannot_read(&self.ca))?
            .collect::<Result<Vec<_>, _>>()
            .map_err(cannot_read(&self.ca))?
        {
            roots
                .add(certificate)
                .map_err(|source| TlsError::Authority {
                    path: self.ca.clone(),
                    source,
                })?;
        }
        if roots.is_empty() {
            let path = self.ca.clone();
            return Err(TlsError::NoCertificate { path });
        }
        let provider = Arc::clone(provider);
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        if let Some(crl) = &self.crl {
            // A list that is out of date says nothing of what happened since.
            builder = builder
                .with_crls(read_crls(crl)?)
                .enforce_revocation_expiration();
        }
        if !self.required {
            builder = builder.allow_unauthenticated();
        }
        builder.build().map_err(|source| TlsError::Clients {
            path: self.crl.clone().unwrap_or_else(|| self.ca.clone()),
            source,
        })
    }
}

fn read_crls(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let crls = CertificateRevocationListDer::pem_file_iter(path)
        .map_err(cannot_read(path))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(cannot_read(path))?;
    if crls.is_empty() {
        return Err(TlsError::NoRevocationList {
            path: path.to_owned(),
        });
    }
    Ok(crls)
}

/// The certificate that the client of a connection showed. It was good when
/// the connection, or the first of those that this one resumes, began.
#[derive(Clone)]
pub(crate) struct ClientCertificate(Arc<Shown>);

struct Shown {
    tls: Tls,
    chain: Vec<CertificateDer<'static>>,
    subject: Result<Subject, SubjectError>,
    /// The checker that found it good last; 0 for one that is not known.
    checked_by: AtomicU64,
}

impl ClientCertificate {
    /// Takes what the client of a connection showed, if it did. `checked_by`
    /// is the number of the checker that the connection was accepted with.
    pub(crate) fn of(tls: &Tls, connection: &ServerConnection, checked_by: u64) -> Option<Self> {
        let chain = connection.peer_certificates()?.to_vec();
        let subject = Subject::parse(chain.first()?);
        // What is resumed was checked when it was new.
        let is_new = connection.handshake_kind() != Some(HandshakeKind::Resumed);
        Some(Self(Arc::new(Shown {
            tls: tls.clone(),
            subject,
            chain,
            checked_by: AtomicU64::new(if is_new { checked_by } else { 0 }),
        })))
    }

    /// Returns whose it is, or why it is not good any more.
    pub(crate) fn subject(&self) -> Result<&Subject, String> {
        let shown = &*self.0;
        shown.tls.reload_clients();
        let checker = shown.tls.checker().ok_or("no certificates are asked for")?;
        if shown.checked_by.load(Ordering::Acquire) != checker.number {
            let (end, others) = shown.chain.split_first().ok_or("there is none")?;
            let verifier = &checker.verifier;
            verifier
                .verify_client_cert(end, others, UnixTime::now())
                .map_err(|error| error.to_string())?;
            shown.checked_by.store(checker.number, Ordering::Release);
        }
        let subject = shown.subject.as_ref().map_err(ToString::to_string)?;
        if subject.is_valid_at(Timestamp::now()) {
            Ok(subject)
        } else {
            Err("its time is over".to_owned())
        }
    }
}
