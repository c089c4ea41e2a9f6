//! One connection to the server, plain or TLS, and one exchange on it.

use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::load::plan::Upload;
use crate::null::{content_len, head_end, header};

const BOUNDARY: &str = "squall-bench-1b5f7c";
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// An upload and where it goes.
pub(crate) struct Request<'a> {
    pub(crate) path: &'a str,
    pub(crate) upload: &'a Upload,
    /// Ask the server to close the connection behind the answer.
    pub(crate) close: bool,
}

/// What the server said.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// The body is a list of findings that is not empty.
    pub(crate) found: bool,
    /// The connection is of no more use.
    pub(crate) closes: bool,
}

/// A connection and the buffers it uses again and again.
pub(crate) struct Client {
    stream: Stream,
    head: Vec<u8>,
    answer: Vec<u8>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Client {
    /// Connects to `address`.
    pub(crate) fn connect(
        address: SocketAddr,
        tls: Option<&Arc<ClientConfig>>,
    ) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(address).context("cannot connect")?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let stream = match tls {
            None => Stream::Plain(socket),
            Some(config) => {
                let name = ServerName::try_from("localhost")?;
                let session = ClientConnection::new(Arc::clone(config), name)?;
                Stream::Tls(Box::new(StreamOwned::new(session, socket)))
            }
        };
        Ok(Self {
            stream,
            head: Vec::new(),
            answer: vec![0; 16 * 1024],
        })
    }

    /// Sends one upload and reads the answer.
    pub(crate) fn exchange(&mut self, request: &Request<'_>) -> anyhow::Result<Answer> {
        write_head(&mut self.head, request)?;
        let tail = format!("\r\n--{BOUNDARY}--\r\n");
        let parts = [&self.head, &request.upload.content, tail.as_bytes()];
        self.stream.send(parts).context("cannot send")?;
        self.receive()
    }

    fn receive(&mut self) -> anyhow::Result<Answer> {
        let mut filled = 0;
        let end = loop {
            if let Some(end) = head_end(&self.answer[..filled]) {
                break end;
            }
            filled += self.more(filled)?;
        };
        let status = self.answer.get(9..12).unwrap_or_default();
        let status = std::str::from_utf8(status)?
            .parse()
            .context("the answer is no HTTP")?;
        let head = &self.answer[..end];
        let retry_after = header(head, "retry-after").and_then(|value| value.parse().ok());
        let closes = header(head, "connection").is_some_and(|value| value == "close");
        let whole = end + content_len(head);
        while filled < whole {
            filled += self.more(filled)?;
        }
        let body = &self.answer[end..whole];
        Ok(Answer {
            status,
            retry_after: retry_after.map(Duration::from_secs),
            found: body.starts_with(b"[{"),
            closes,
        })
    }

    /// Reads more behind the first `filled` bytes.
    fn more(&mut self, filled: usize) -> anyhow::Result<usize> {
        if filled == self.answer.len() {
            self.answer.resize(filled * 2, 0);
        }
        match self.stream.read(&mut self.answer[filled..]) {
            Ok(0) => bail!("the server closed the connection before its answer"),
            Ok(read) => Ok(read),
            Err(error) => Err(error).context("cannot receive"),
        }
    }
}

impl Stream {
    fn send(&mut self, parts: [&[u8]; 3]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => {
                let mut slices = parts.map(IoSlice::new);
                let mut left = &mut slices[..];
                while !left.is_empty() {
                    let written = stream.write_vectored(left)?;
                    if written == 0 {
                        return Err(io::ErrorKind::WriteZero.into());
                    }
                    IoSlice::advance_slices(&mut left, written);
                }
                Ok(())
            }
            Self::Tls(stream) => {
                for part in parts {
                    stream.write_all(part)?;
                }
                stream.flush()
            }
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(into),
            Self::Tls(stream) => stream.read(into),
        }
    }
}

/// Writes all that stands before the file's bytes.
fn write_head(head: &mut Vec<u8>, request: &Request<'_>) -> io::Result<()> {
    let Request {
        path,
        upload,
        close,
    } = request;
    // Of a file name only what needs no quoting in a header is sent.
    let part = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n",
        upload.name.replace(['"', '\\', '\r', '\n'], "_"),
    );
    let tail_len = "\r\n--".len() + BOUNDARY.len() + "--\r\n".len();
    let len = part.len() + upload.content.len() + tail_len;
    let connection = if *close { "Connection: close\r\n" } else { "" };
    head.clear();
    write!(
        head,
        "POST {path}?source={} HTTP/1.1\r\nHost: localhost\r\n{connection}\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len}\r\n\r\n{part}",
        upload.source,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announced_length_is_what_is_sent() {
        let upload = Upload {
            name: "/bin/a\"b".to_owned(),
            source: "host-1".to_owned(),
            content: b"0123456789".to_vec(),
        };
        let mut head = Vec::new();
        let request = Request {
            path: "/api/check",
            upload: &upload,
            close: true,
        };
        write_head(&mut head, &request).unwrap();
        let end = head_end(&head).unwrap();
        let tail = format!("\r\n--{BOUNDARY}--\r\n");
        let body_len = head.len() - end + upload.content.len() + tail.len();
        assert_eq!(content_len(&head[..end]), body_len);
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("POST /api/check?source=host-1 HTTP/1.1\r\n"));
        assert!(head.contains("filename=\"/bin/a_b\""), "{head}");
    }
}
