"""A service that faults are done to: started under limits, looked at on its disk."""

import json
import re
import struct
import zlib
from collections import defaultdict
from pathlib import Path
from unittest import mock

import support.service
from support.places import BINARY
from support.service import Service

_SLOT = struct.Struct("<QI")
# Before the workers' slots: how far ids are reserved, batches committed.
_HEADER_SLOTS = 2


class Victim(Service):
    """A service whose data directory and JSON log are on a disk of the test's choice."""

    def __init__(self, root: Path, *args: str, limits: str = "", disk: Path | None = None, log: Path | None = None,
                 **options):
        """`limits` are shell commands run before the process, such as `ulimit -n 64`.

        Data and log are in `disk`, else in `root`; the log is in `log` if it is to be elsewhere.
        """
        super().__init__(root, *args, bare=True, **options)
        self.data = (disk or self.root) / "data"
        self.log = log or (disk or self.root) / "findings.json"
        self.args += ["--server-port", str(self.port), "--data-dir", str(self.data), "--jsonfile", str(self.log)]
        self.limits = limits
        self.kills = 0
        # The same service on an earlier disk.
        self.earlier: Victim | None = None

    def spawn(self) -> "Victim":
        """Starts the process, within the limits, and does not wait for it."""
        if not self.limits:
            return super().spawn()
        wrapper = self.root / "limited"
        wrapper.write_text(f'#!/bin/sh\n{self.limits}\nexec "{BINARY}" "$@"\n')
        wrapper.chmod(0o755)
        with mock.patch.object(support.service, "BINARY", wrapper):
            return super().spawn()

    def kill(self) -> None:
        """Ends the process with SIGKILL, and counts it."""
        self.kills += self.running()
        super().kill()

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

    def keeps(self) -> bool:
        """Tells whether it keeps malicious samples."""
        return "--server-store-samples" in self.args

    def kept(self, sha256: str) -> Path:
        """Returns where a sample is kept."""
        return self.data / "samples" / sha256[:2] / sha256

    def incompletely_kept(self) -> list[Path]:
        """Returns the files of kept samples that are being written."""
        return list((self.data / "samples").rglob("*.tmp"))

    # ---- what it said

    def since_last_start(self, before: str) -> str:
        """Returns what it printed after `before`, an earlier `output()`, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.output()[len(before):])

    def not_kept(self) -> list[str]:
        """Returns what it said of samples that it could not keep, on every disk it was on."""
        earlier = self.earlier.not_kept() if self.earlier else []
        return earlier + [line for line in self.output().splitlines() if "was not kept" in line]

    def logged(self) -> tuple[dict[str, list[str]], int]:
        """Returns the event ids of every logged file by its SHA-256, and the number of torn lines."""
        events, torn = defaultdict(list), 0
        if not self.log.exists():
            return events, torn
        for line in self.log.read_bytes().split(b"\n"):
            if not line.strip(b"\0"):
                continue
            try:
                event = json.loads(line)
                events[event["subject"]["hashes"]["sha256"]].append(event["meta"]["event_id"])
            except ValueError:
                torn += 1
        return events, torn

    def v1_status(self) -> dict:
        """Returns the live counters of generation 1."""
        return self.json("/api/v1/status")
