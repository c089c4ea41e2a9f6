"""A service that faults are done to: started under limits, looked at on its disk."""

import json
import re
import struct
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import support.service
from support.places import BINARY
from support.service import Service

_SLOT = struct.Struct("<QI")
# Before the workers' slots: how far ids are reserved, batches committed.
_HEADER_SLOTS = 2
# A line cut short has no event id, or half of one.
_TEXT_LINE = re.compile(
    rb"\S.* THOR: (?:Alert|Warning|Notice): MODULE: Filescan .* SHA256: ([0-9a-f]{64}) .* UID: ([A-Za-z0-9_-]{16}-\d+)"
)


@dataclass(frozen=True)
class Start:
    """The bytes in the logs when a process was started."""

    json: int
    text: int


@dataclass(frozen=True)
class Line:
    """One finding in a log."""

    sha256: str
    event_id: str
    at: int


class Logged:
    """The whole lines of a log, and how many are torn."""

    def __init__(self, file: Path, read, ended: bool = False):
        """`read` returns the SHA-256 and the event id in a line, or fails with a `ValueError`. With `ended`, only lines
        count that have an end, as those that wait for a log do."""
        self.lines: list[Line] = []
        self.torn = 0
        content = file.read_bytes() if file.exists() else b""
        if ended:
            content = content[: content.rfind(b"\n") + 1]
        at = 0
        for line in content.split(b"\n"):
            # What an end of the power left of a file may be zeroes.
            if line.strip(b"\0"):
                try:
                    self.lines.append(Line(*read(line), at))
                except ValueError:
                    self.torn += 1
            at += len(line) + 1

    def by_file(self) -> dict[str, list[Line]]:
        """Returns the lines about each file, by its SHA-256."""
        found = defaultdict(list)
        for line in self.lines:
            found[line.sha256].append(line)
        return found


def _size(log: Path) -> int:
    return log.stat().st_size if log.is_file() else 0


def of_json(line: bytes) -> tuple[str, str]:
    """Returns the SHA-256 and the event id in a line of the JSON log."""
    event = json.loads(line)
    try:
        return event["subject"]["hashes"]["sha256"], event["meta"]["event_id"]
    except (KeyError, TypeError) as error:
        # A bit of a name was flipped.
        raise ValueError(line) from error


def of_text(line: bytes) -> tuple[str, str]:
    """The same of the text log."""
    found = _TEXT_LINE.fullmatch(line)
    if not found:
        raise ValueError(line)
    return found[1].decode(), found[2].decode()


class Victim(Service):
    """A service whose data directory and logs are on a disk of the test's choice."""

    def __init__(self, root: Path, *args: str, limits: str = "", disk: Path | None = None, log: Path | None = None,
                 **options):
        """`limits` are shell commands run before the process, such as `ulimit -n 64`.

        Data and logs are in `disk`, else in `root`; the JSON log is `log` if it is to be elsewhere, with the text
        log beside it.
        """
        super().__init__(root, *args, bare=True, **options)
        self.data = (disk or self.root) / "data"
        self.log = log or (disk or self.root) / "findings.json"
        self.text_log = self.log.with_name("findings.log")
        self.args += ["--server-port", str(self.port), "--data-dir", str(self.data), "--jsonfile", str(self.log),
                      "--logfile", str(self.text_log)]
        self.limits = limits
        self.kills = 0
        # How long the logs were at each start.
        self.starts: list[Start] = []
        # The same service on an earlier disk.
        self.earlier: Victim | None = None

    def spawn(self) -> "Victim":
        """Starts the process, within the limits, and does not wait for it."""
        self.starts.append(Start(_size(self.log), _size(self.text_log)))
        if not self.limits:
            return super().spawn()
        wrapper = self.root / "limited"
        wrapper.write_text(f'#!/bin/sh\n{self.limits}\nexec "{BINARY}" "$@"\n')
        wrapper.chmod(0o755)
        with mock.patch.object(support.service, "BINARY", wrapper):
            return super().spawn()

    def kill(self) -> None:
        """Ends the process with SIGKILL, and counts it."""
        was_running = self.running()
        super().kill()
        # A sample that was acknowledged before has seen this one.
        self.kills += was_running

    def continues(self, earlier: "Victim") -> "Victim":
        """Notes that this is the same service as another, on a copy of its disk."""
        self.earlier = earlier
        self.kills = earlier.kills
        self.starts = list(earlier.starts)
        return self

    # ---- its disk

    @property
    def queue(self) -> Path:
        """The directory of the queue."""
        return self.data / "queue"

    def claimed(self) -> set[int]:
        """Returns the samples that workers are scanning, as the claims file says."""
        found = set()
        file = self.queue / "claims"
        content = file.read_bytes() if file.exists() else b""
        for at in range(_HEADER_SLOTS * 16, len(content) - 15, 16):
            fields, crc = content[at:at + 12], content[at + 12:at + 16]
            if zlib.crc32(fields) == int.from_bytes(crc, "little"):
                found.add(_SLOT.unpack(fields)[0])
        return found

    def spool_files(self) -> list[Path]:
        """Returns the files of large samples."""
        return [path for path in (self.queue / "spool" / "files").rglob("*") if path.is_file()]

    def incoming(self) -> list[Path]:
        """Returns the files of incomplete uploads."""
        return list((self.queue / "spool" / "incoming").iterdir())

    def segments(self) -> list[Path]:
        """Returns the segments of small samples, oldest first."""
        return sorted((self.queue / "spool" / "segments").glob("*.seg"))

    def result_segments(self) -> list[Path]:
        """Returns the segments of large results, oldest first."""
        return sorted((self.queue / "results").glob("*.seg"))

    def log_backlogs(self) -> list[Path]:
        """Returns the files of lines that a log refused."""
        folder = self.data / "log-backlog"
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def keeps(self) -> bool:
        """Tells whether it keeps malicious samples, and all of them."""
        return "malicious" in self.args

    def kept(self, sha256: str) -> Path:
        """Returns where a sample is kept."""
        return self.data / "samples" / sha256[:2] / sha256

    def all_kept(self) -> list[Path]:
        """Returns all kept samples."""
        return [path for path in (self.data / "samples").glob("??/*") if len(path.name) == 64]

    def incompletely_kept(self) -> list[Path]:
        """Returns what is not a kept sample with its facts beside it."""
        pairs = {path for sample in self.all_kept() for path in (sample, sample.with_name(sample.name + ".json"))
                 if sample.with_name(sample.name + ".json").is_file()}
        return [path for path in (self.data / "samples").glob("??/*") if path not in pairs]

    # ---- what it said

    def since_last_start(self, before: str) -> str:
        """Returns what it printed after `before`, an earlier `output()`, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.output()[len(before):])

    def not_kept(self) -> list[str]:
        """Returns what it said of samples that it could not keep, on every disk it was on."""
        earlier = self.earlier.not_kept() if self.earlier else []
        return earlier + [line for line in self.output().splitlines() if "was not kept" in line]

    def logged(self) -> "Logged":
        """Returns what the JSON log holds."""
        return Logged(self.log, of_json)

    def logged_as_text(self) -> "Logged":
        """Returns what the text log holds."""
        return Logged(self.text_log, of_text)

    def v1_status(self) -> dict:
        """Returns the live counters of generation 1."""
        return self.json("/api/v1/status")
