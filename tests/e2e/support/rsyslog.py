"""A real rsyslog that writes what it receives to files."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from support.service import free_port, wait_until

DAEMON = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/sbin:/bin")


class Rsyslog:
    """Listens for UDP, TCP and TLS on three free ports; can be stopped and started again."""

    def __init__(self, root: Path):
        if DAEMON is None:
            pytest.skip("rsyslogd is not installed: tests/run installs it")
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.raw = root / "raw.log"
        self.lines = root / "lines.log"
        self.parts = root / "parts.log"
        self.udp, self.tcp, self.tls = free_port(), free_port(), free_port()
        self.ca = self._make_certificates()
        self.config = root / "rsyslog.conf"
        self.config.write_text(self._configuration())
        self.process = None

    def _make_certificates(self) -> Path:
        """Makes an authority, and a certificate of it for 127.0.0.1."""
        def openssl(*args):
            subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=60, cwd=self.root)

        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem")
        openssl("req", *key, "-subj", "/CN=syslog", "-keyout", "server.key", "-out", "server.csr")
        (self.root / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", "server.pem")
        return self.root / "ca.pem"

    def _configuration(self) -> str:
        return f"""
global(workDirectory="{self.root}" maxMessageSize="64k"
       parser.escapeControlCharactersOnReceive="off"
       defaultNetstreamDriver="ossl"
       defaultNetstreamDriverCAFile="{self.ca}"
       defaultNetstreamDriverCertFile="{self.root}/server.pem"
       defaultNetstreamDriverKeyFile="{self.root}/server.key")
module(load="imudp")
module(load="imtcp")
template(name="raw" type="string" string="%rawmsg%\\n")
template(name="parts" type="string"
         string="%syslogfacility-text%.%syslogseverity-text% %timereported:::date-rfc3339% %hostname% %programname% %structured-data% %msg%\\n")
ruleset(name="all") {{
  action(type="omfile" file="{self.raw}" template="raw" flushOnTXEnd="on" asyncWriting="off")
  action(type="omfile" file="{self.parts}" template="parts" flushOnTXEnd="on" asyncWriting="off")
  action(type="omfile" file="{self.lines}" template="RSYSLOG_TraditionalFileFormat" flushOnTXEnd="on" asyncWriting="off")
}}
input(type="imudp" address="127.0.0.1" port="{self.udp}" ruleset="all")
input(type="imtcp" address="127.0.0.1" port="{self.tcp}" ruleset="all")
input(type="imtcp" address="127.0.0.1" port="{self.tls}" ruleset="all"
      streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
"""

    def start(self) -> "Rsyslog":
        """Starts it and returns when it listens."""
        with (self.root / "output.log").open("ab") as output:
            self.process = subprocess.Popen(
                [DAEMON, "-n", "-f", str(self.config), "-i", str(self.root / "pid")],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )
        wait_until(lambda: all(map(self._listens, (self.tcp, self.tls))) and self._has_udp(), 20, "rsyslog listens")
        return self

    def _listens(self, port: int) -> bool:
        assert self.process.poll() is None, (self.root / "output.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def _has_udp(self) -> bool:
        ports = [line.split()[1].split(":")[1] for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
        return f"{self.udp:04X}" in ports

    def stop(self) -> None:
        """Ends it in order."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def kill(self) -> None:
        """Ends it without giving it time to write or close anything."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def received(self, file: Path | None = None) -> list[str]:
        """Returns what it wrote, a line each: messages as they came, unless another of its files is named."""
        file = file or self.raw
        if not file.exists():
            return []
        return file.read_text("utf-8", errors="replace").split("\n")[:-1]

    def wait_for(self, count: int, seconds: float = 30) -> list[str]:
        """Waits until it has at least `count` messages; returns all."""
        end = time.monotonic() + seconds
        while len(self.received()) < count:
            if time.monotonic() > end:
                raise AssertionError(f"{len(self.received())} of {count} messages after {seconds} s")
            time.sleep(0.05)
        return self.received()
