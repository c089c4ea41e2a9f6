//! A server that does nothing with what it reads. What a load reaches against
//! it is the most the load generator can do, and what that costs.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use anyhow::Context as _;

use crate::args::Args;
use crate::say;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n{\"id\":1}";
const HEAD_LEN_MAX: usize = 64 * 1024;

/// Listens on a free port of the loopback address, prints it, and serves until
/// it is killed.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    args.finish()?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot listen")?;
    say(&format!("listening on {}", listener.local_addr()?))?;
    for stream in listener.incoming() {
        let stream = stream.context("cannot accept")?;
        thread::Builder::new().spawn(move || serve(stream))?;
    }
    Ok(())
}

/// Serves one connection until its other end goes.
fn serve(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut buffer = vec![0; 256 * 1024];
    let mut filled = 0;
    loop {
        let head = loop {
            if let Some(end) = head_end(&buffer[..filled]) {
                break end;
            }
            match stream.read(&mut buffer[filled..]) {
                Ok(read) if read > 0 && filled < HEAD_LEN_MAX => filled += read,
                _ => return,
            }
        };
        let mut left = content_len(&buffer[..head]).saturating_sub(filled - head);
        while left > 0 {
            let part = left.min(buffer.len());
            match stream.read(&mut buffer[..part]) {
                Ok(read) if read > 0 => left -= read,
                _ => return,
            }
        }
        // The load generator sends the next request after the answer.
        filled = 0;
        if stream.write_all(ANSWER).is_err() {
            return;
        }
    }
}

/// Returns where the head of a message ends, if all of it is there.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(at + 4)
}

/// Returns the length of the body that a head announces; 0 without one.
pub(crate) fn content_len(head: &[u8]) -> usize {
    header(head, "content-length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}

/// Returns the value of a header of a message.
pub(crate) fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let head = std::str::from_utf8(head).ok()?;
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let message = b"POST / HTTP/1.1\r\nContent-Length: 12\r\nA: b\r\n\r\nbody";
        let end = head_end(message).unwrap();
        assert_eq!(&message[end..], b"body");
        assert_eq!(content_len(&message[..end]), 12);
        assert_eq!(header(&message[..end], "a"), Some("b"));
        assert_eq!(head_end(&message[..end - 1]), None);
        assert_eq!(content_len(b"GET / HTTP/1.1\r\n\r\n"), 0);
    }
}
