"""Bytes on a socket: requests that no well-behaved client would send."""

import errno
import socket
import ssl

from support.curl import Answer, parse_headers

# What a socket says when the peer has closed or reset the connection.
CLOSED = (ConnectionResetError, BrokenPipeError)

BOUNDARY = "e2e-boundary-7MA4YWxkTrZu0gW"


def part(content: bytes, disposition: bytes | str = 'form-data; name="file"; filename="/tmp/raw.txt"') -> bytes:
    """Returns one multipart part with its leading delimiter."""
    if isinstance(disposition, str):
        disposition = disposition.encode()
    head = b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: " + disposition
    return head + b"\r\nContent-Type: application/octet-stream\r\n\r\n" + content + b"\r\n"


def closing() -> bytes:
    """Returns the delimiter that ends a multipart body."""
    return f"--{BOUNDARY}--\r\n".encode()


def body(content: bytes, disposition: bytes | str | None = None) -> bytes:
    """Returns a complete multipart body with one part `file`."""
    whole = part(content) if disposition is None else part(content, disposition)
    return whole + closing()


def head(path: str, *fields: str, version: str = "1.1", method: str = "POST", boundary: str = BOUNDARY) -> bytes:
    """Returns a request head; `fields` are whole header lines."""
    lines = [f"{method} {path} HTTP/{version}", "Host: 127.0.0.1",
             f"Content-Type: multipart/form-data; boundary={boundary}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunked(data: bytes, size: int = 1000) -> bytes:
    """Returns `data` in the chunked transfer coding."""
    pieces = [data[at:at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def connect(service, timeout: float = 20) -> socket.socket:
    """Opens a connection to the service, with TLS when it speaks TLS."""
    plain = socket.create_connection(("127.0.0.1", service.port), timeout=timeout)
    if not service.tls:
        return plain
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)


def end_stream(sock: socket.socket) -> None:
    """Says that nothing more comes, unless the peer was quicker and has closed."""
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise


def read_answer(sock: socket.socket) -> Answer | None:
    """Reads one answer by its length or to the end; `None` when the connection closed without one."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            got = sock.recv(65536)
            if not got:
                return None
            data += got
        block, _, rest = data.partition(b"\r\n\r\n")
        text = block.decode("latin-1").replace("\r", "")
        status = int(text.split(" ", 2)[1])
        fields = parse_headers(text)
        if status == 100:
            return Answer(100, rest, fields)
        if "content-length" in fields:
            length = int(fields["content-length"])
            while len(rest) < length:
                got = sock.recv(65536)
                if not got:
                    raise AssertionError(f"answer cut at {len(rest)} of {length} bytes")
                rest += got
        elif fields.get("transfer-encoding", "").lower() == "chunked":
            while not rest.endswith(b"0\r\n\r\n"):
                got = sock.recv(65536)
                if not got:
                    raise AssertionError("answer cut within its chunks")
                rest += got
            rest = _unchunk(rest)
        else:
            while got := sock.recv(65536):
                rest += got
        return Answer(status, rest, fields)
    except CLOSED:
        return None


def _unchunk(data: bytes) -> bytes:
    whole = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        whole += data[:length]
        data = data[length + 2:]
    return whole


def exchange(service, data: bytes, finish: bool = False) -> Answer | None:
    """Sends `data` (then, with `finish`, the end of the stream) and reads the answer."""
    with connect(service) as sock:
        try:
            sock.sendall(data)
            if finish:
                end_stream(sock)
        except CLOSED:
            pass  # It may answer and close before it has read everything.
        return read_answer(sock)


def closed_within(sock: socket.socket, seconds: float) -> bytes | None:
    """Returns what arrives until the peer closes, or `None` when it does not within `seconds`."""
    sock.settimeout(seconds)
    data = b""
    try:
        while got := sock.recv(65536):
            data += got
    except CLOSED:
        pass
    except TimeoutError:
        return None
    return data
