//! Whom to trust.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::LinkError;
use crate::error::OutputError;

/// The certificates that receivers are trusted by.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    tls: Option<TlsConnector>,
    /// Those of the operator's file.
    own: Option<Vec<CertificateDer<'static>>>,
}

impl Trust {
    /// Trusts nobody, for receivers that are not asked.
    pub(crate) fn nobody() -> Self {
        Self::default()
    }

    /// Takes the certificates of a PEM file, or those of the system.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub(crate) fn open(file: Option<&Path>) -> Result<Self, OutputError> {
        let own = file.map(from_file).transpose()?;
        let roots = match &own {
            Some(certificates) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates {
                    roots.add(certificate.clone())?;
                }
                roots
            }
            None => of_system()?,
        };
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: Some(TlsConnector::from(Arc::new(config))),
            own,
        })
    }

    /// Returns what connects with TLS.
    pub(super) const fn tls(&self) -> Option<&TlsConnector> {
        self.tls.as_ref()
    }

    /// Returns the certificates of the operator's file, if there is one.
    pub(super) fn own(&self) -> Option<&[CertificateDer<'static>]> {
        self.own.as_deref()
    }
}

fn from_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, OutputError> {
    let unreadable = |source| OutputError::Certificates {
        path: path.to_owned(),
        source,
    };
    let certificates = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(OutputError::NoCertificate {
            path: path.to_owned(),
        });
    }
    Ok(certificates)
}

fn of_system() -> Result<RootCertStore, OutputError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(OutputError::NoSystemCertificate);
    }
    Ok(roots)
}

/// Returns the name that the receiver's certificate must be for.
pub(super) fn name(host: &str) -> Result<ServerName<'static>, LinkError> {
    ServerName::try_from(host.to_owned()).map_err(|_| LinkError::Name {
        host: host.to_owned(),
    })
}
