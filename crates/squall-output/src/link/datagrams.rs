//! Syslog over UDP (RFC 5426): nobody says whether a datagram arrived, but a
//! machine without a receiver says so, mostly, and then nothing is lost.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

use super::{LinkError, resolve};
use crate::config::SyslogTarget;

/// How long a complaint about a datagram may take.
pub(super) const SETTLE_TIME: Duration = Duration::from_secs(1);

/// How long an address is used: nothing else tells that a name got another.
pub(super) const LIFETIME: Duration = Duration::from_secs(60);

/// How long is waited for a complaint about the first datagram: a receiver that
/// is away does not cost more than that one.
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// How many are sent at once, and the pause behind them: what comes faster than
/// a receiver reads is lost in its buffer.
const BURST: u32 = 32;
const PAUSE: Duration = Duration::from_millis(5);

/// A socket that is connected to one receiver.
pub(crate) struct Datagrams {
    socket: UdpSocket,
    address: SocketAddr,
    sent: u32,
}

impl Datagrams {
    pub(super) async fn open(target: &SyslogTarget) -> Result<Self, LinkError> {
        let mut failed = LinkError::Ended;
        for address in resolve(target).await? {
            match Self::connect(address).await {
                Ok(socket) => {
                    return Ok(Self {
                        socket,
                        address,
                        sent: 0,
                    });
                }
                Err(source) => failed = LinkError::Connect { address, source },
            }
        }
        Err(failed)
    }

    async fn connect(address: SocketAddr) -> std::io::Result<UdpSocket> {
        let any: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(address).await?;
        Ok(socket)
    }

    pub(super) async fn send(&mut self, body: &[u8]) -> Result<(), LinkError> {
        if self.sent > 0 && self.sent.is_multiple_of(BURST) {
            sleep(PAUSE).await;
        }
        let sent = self.socket.send(body).await;
        sent.map_err(|source| self.refused(source))?;
        self.sent = self.sent.wrapping_add(1);
        if self.sent == 1
            && let Ok(error) = timeout(FIRST_WAIT, self.broken()).await
        {
            return Err(error);
        }
        Ok(())
    }

    /// Waits until the system tells of a datagram that did not arrive.
    pub(super) async fn broken(&mut self) -> LinkError {
        let mut answer = [0; 1];
        loop {
            // Nobody answers to syslog; what comes nevertheless is left alone.
            if let Err(source) = self.socket.recv(&mut answer).await {
                return self.refused(source);
            }
        }
    }

    pub(super) async fn finish(mut self) -> bool {
        timeout(FIRST_WAIT, self.broken()).await.is_err()
    }

    fn refused(&self, source: std::io::Error) -> LinkError {
        LinkError::Connect {
            address: self.address,
            source,
        }
    }
}
