//! A connection to a receiver, in whichever way it is spoken to.

mod datagrams;
mod stream;
mod tls;
pub(crate) mod webhook;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::config::{SyslogTarget, Target, Transport};
use datagrams::Datagrams;
use stream::Stream;
pub(crate) use tls::Trust;
pub use webhook::Secret;
use webhook::Webhook;

/// How long a receiver may take until it is connected to.
pub(crate) const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// Why a receiver could not be sent to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// Its name has no address.
    #[error("cannot find the address of `{host}`")]
    Resolve {
        host: String,
        #[source]
        source: io::Error,
    },
    /// It cannot be connected to.
    #[error("cannot connect to {address}")]
    Connect {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    /// Connecting to it took too long.
    #[error("no connection within {} seconds", CONNECT_TIME_MAX.as_secs())]
    ConnectTime,
    /// The name of the receiver is none that a certificate can have.
    #[error("`{host}` is no name that a certificate could be for")]
    Name { host: String },
    /// The connection was cut.
    #[error("the connection was cut")]
    Cut(#[source] io::Error),
    /// The receiver ended the connection.
    #[error("the receiver ended the connection")]
    Ended,
    /// What sends requests cannot be made.
    #[error("cannot send requests")]
    Client(#[source] reqwest::Error),
    /// A request did not get there.
    #[error("the request did not get there")]
    Request(#[source] reqwest::Error),
    /// A request was not answered.
    #[error("the request was not answered")]
    NoAnswer(#[source] reqwest::Error),
    /// The receiver does not want the event, or not now.
    #[error("the receiver answered with {status}")]
    Refused {
        /// The status of its answer.
        status: u16,
        /// How long it asks to be left alone.
        after: Option<Duration>,
        /// It would take the event at another time.
        is_busy: bool,
    },
}

impl LinkError {
    /// Tells whether the reason may be the event: the receiver has it and did
    /// not take it.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NoAnswer(_) | Self::Refused { is_busy: false, .. }
        )
    }

    /// Returns how long the receiver asks to be left alone.
    pub(crate) const fn after(&self) -> Option<Duration> {
        match self {
            Self::Refused { after, .. } => *after,
            _ => None,
        }
    }
}

/// A connection.
pub(crate) enum Link {
    /// Datagrams.
    Datagrams(Datagrams),
    /// A stream, with or without TLS.
    Stream(Stream),
    /// Requests.
    Webhook(Webhook),
}

impl Link {
    /// Connects to a receiver.
    pub(crate) async fn open(target: &Target, trust: &Trust) -> Result<Self, LinkError> {
        let target = match target {
            Target::Syslog(target) => target,
            Target::Webhook(target) => return Webhook::open(target, trust).map(Self::Webhook),
        };
        let opening = async {
            Ok(match target.transport {
                Transport::Udp => Self::Datagrams(Datagrams::open(target).await?),
                Transport::Tcp => Self::Stream(Stream::open(target, None).await?),
                Transport::Tls => Self::Stream(Stream::open(target, trust.tls()).await?),
            })
        };
        let opened = tokio::time::timeout(CONNECT_TIME_MAX, opening).await;
        opened.unwrap_or(Err(LinkError::ConnectTime))
    }

    /// Sends a message, which may be on its way only after a flush.
    pub(crate) async fn send(&mut self, body: &[u8]) -> Result<(), LinkError> {
        match self {
            Self::Datagrams(datagrams) => datagrams.send(body).await,
            Self::Stream(stream) => stream.send(body).await,
            Self::Webhook(webhook) => webhook.send(body).await,
        }
    }

    /// Sends what has been kept back.
    pub(crate) async fn flush(&mut self) -> Result<(), LinkError> {
        match self {
            Self::Datagrams(_) | Self::Webhook(_) => Ok(()),
            Self::Stream(stream) => stream.flush().await,
        }
    }

    /// Tells whether something sent may be on its way only after a flush.
    pub(crate) const fn keeps_back(&self) -> bool {
        matches!(self, Self::Stream(_))
    }

    /// Returns after how long without an error something sent is taken to have
    /// arrived, since nobody acknowledges a syslog message; `None` for what is
    /// acknowledged.
    pub(crate) const fn settle_time(&self) -> Option<Duration> {
        match self {
            Self::Datagrams(_) => Some(datagrams::SETTLE_TIME),
            Self::Stream(_) => Some(stream::SETTLE_TIME),
            Self::Webhook(_) => None,
        }
    }

    /// Returns after how long the receiver's address is to be looked up anew.
    pub(crate) const fn lifetime(&self) -> Option<Duration> {
        match self {
            Self::Datagrams(_) => Some(datagrams::LIFETIME),
            Self::Stream(_) | Self::Webhook(_) => None,
        }
    }

    /// Waits until the receiver ends it, or it breaks; returns how.
    pub(crate) async fn broken(&mut self) -> LinkError {
        match self {
            Self::Datagrams(datagrams) => datagrams.broken().await,
            Self::Stream(stream) => stream.broken().await,
            // Each request is a thing of its own.
            Self::Webhook(_) => std::future::pending().await,
        }
    }

    /// Ends it in order. Returns whether all that was sent has arrived for sure.
    pub(crate) async fn finish(self) -> bool {
        match self {
            Self::Datagrams(datagrams) => datagrams.finish().await,
            Self::Stream(stream) => stream.finish().await,
            Self::Webhook(_) => true,
        }
    }
}

/// Returns the addresses of a receiver.
async fn resolve(target: &SyslogTarget) -> Result<Vec<SocketAddr>, LinkError> {
    let failed = |source| LinkError::Resolve {
        host: target.host.clone(),
        source,
    };
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let addresses: Vec<_> = found.map_err(failed)?.collect();
    if addresses.is_empty() {
        return Err(failed(io::ErrorKind::NotFound.into()));
    }
    Ok(addresses)
}
