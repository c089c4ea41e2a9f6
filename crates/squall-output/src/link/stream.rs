//! Syslog over TCP (RFC 6587), with or without TLS (RFC 5425).
//!
//! Nobody acknowledges a message. What a receiver had not read when it went
//! away is lost without a word, and the first write after that still succeeds.
//! So what was sent is sent again to whoever is there next, unless the
//! connection stayed whole for longer than the system tries to deliver, or was
//! ended in order with the receiver's consent.

use std::io;
use std::time::Duration;

use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufWriter, ReadHalf, WriteHalf,
};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{LinkError, resolve, tls};
use crate::config::{Framing, SyslogTarget};
use squall_report::syslog::Form;

/// How long the system tries to deliver before it gives the connection up.
const UNACKNOWLEDGED_TIME_MAX: Duration = Duration::from_secs(30);

/// How long the connection must stay whole after something was sent.
pub(super) const SETTLE_TIME: Duration = Duration::from_secs(35);

/// How long a receiver may take to consent to the end.
const FINISH_TIME_MAX: Duration = Duration::from_secs(2);

const BUFFER_BYTES: usize = 64 << 10;

trait ReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ReadWrite for T {}

/// A connection to one receiver.
pub(crate) struct Stream {
    reader: ReadHalf<Box<dyn ReadWrite>>,
    writer: BufWriter<WriteHalf<Box<dyn ReadWrite>>>,
    framing: Framing,
}

impl Stream {
    pub(super) async fn open(
        target: &SyslogTarget,
        tls: Option<&TlsConnector>,
    ) -> Result<Self, LinkError> {
        let stream = connect(target).await?;
        let stream: Box<dyn ReadWrite> = match tls {
            None => Box::new(stream),
            Some(connector) => {
                let name = tls::name(&target.host)?;
                let connected = connector.connect(name, stream).await;
                Box::new(connected.map_err(LinkError::Cut)?)
            }
        };
        let (reader, writer) = tokio::io::split(stream);
        Ok(Self {
            reader,
            writer: BufWriter::with_capacity(BUFFER_BYTES, writer),
            framing: match target.form {
                Form::Json => Framing::LineFeed,
                _ => target.framing,
            },
        })
    }

    pub(super) async fn send(&mut self, body: &[u8]) -> Result<(), LinkError> {
        let Self {
            reader,
            writer,
            framing,
        } = self;
        let sending = async {
            match framing {
                Framing::OctetCounted => {
                    writer
                        .write_all(format!("{} ", body.len()).as_bytes())
                        .await?;
                    writer.write_all(body).await
                }
                Framing::LineFeed => {
                    writer.write_all(body).await?;
                    writer.write_all(b"\n").await
                }
            }
        };
        unless_broken(reader, sending).await
    }

    pub(super) async fn flush(&mut self) -> Result<(), LinkError> {
        let Self { reader, writer, .. } = self;
        unless_broken(reader, writer.flush()).await
    }

    pub(super) async fn broken(&mut self) -> LinkError {
        broken(&mut self.reader).await
    }

    /// Ends the connection and waits for the receiver to do so too: it has read
    /// all that was before the end then.
    pub(super) async fn finish(mut self) -> bool {
        let finishing = async {
            self.writer.flush().await?;
            self.writer.shutdown().await?;
            match broken(&mut self.reader).await {
                LinkError::Ended => Ok(()),
                _ => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            }
        };
        timeout(FINISH_TIME_MAX, finishing)
            .await
            .is_ok_and(|finished| finished.is_ok())
    }
}

async fn connect(target: &SyslogTarget) -> Result<TcpStream, LinkError> {
    let mut failed = LinkError::Ended;
    for address in resolve(target).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Only make failures known earlier, and messages faster.
                let _ = stream.set_nodelay(true);
                let socket = socket2::SockRef::from(&stream);
                let alive = socket2::TcpKeepalive::new().with_time(UNACKNOWLEDGED_TIME_MAX);
                let _ = socket.set_tcp_keepalive(&alive);
                #[cfg(target_os = "linux")]
                let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIME_MAX));
                return Ok(stream);
            }
            Err(source) => failed = LinkError::Connect { address, source },
        }
    }
    Err(failed)
}

/// Writes, unless the receiver ends the connection first.
async fn unless_broken(
    reader: &mut ReadHalf<Box<dyn ReadWrite>>,
    writing: impl Future<Output = io::Result<()>>,
) -> Result<(), LinkError> {
    tokio::select! {
        biased;
        error = broken(reader) => Err(error),
        written = writing => written.map_err(LinkError::Cut),
    }
}

/// Reads on, whatever comes, until there is no more.
async fn broken(reader: &mut ReadHalf<Box<dyn ReadWrite>>) -> LinkError {
    let mut ignored = [0; 512];
    loop {
        match reader.read(&mut ignored).await {
            Ok(0) => return LinkError::Ended,
            Ok(_) => {}
            Err(source) => return LinkError::Cut(source),
        }
    }
}
