"""What all parts of the bench work with."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

# Scan threads of every service that is measured, and threads of what it is compared with.
THREADS = 2


class Missing(Exception):
    """Something that is needed for a measurement is not to be had here."""


@dataclass
class Context:
    """Where things are, and how much is to be measured."""

    root: Path
    target: Path
    dir: Path
    tools: Path
    rules: Path
    rounds: int
    quick: bool
    smoke: bool
    notes: list = field(default_factory=list)
    cache: dict = field(default_factory=dict)

    @staticmethod
    def make(root, target, arguments):
        folder = target / "bench"
        tools = target / "tools"
        folder.mkdir(parents=True, exist_ok=True)
        tools.mkdir(parents=True, exist_ok=True)
        quick = arguments.quick or arguments.smoke
        context = Context(
            root=root,
            target=target,
            dir=folder,
            tools=tools,
            rules=rules(root, arguments.smoke),
            rounds=arguments.rounds or (1 if arguments.smoke else 2 if arguments.quick else 5),
            quick=quick,
            smoke=arguments.smoke,
        )
        if context.rules.name != "signature-base":
            context.notes.append("signature-base is absent (SQUALL_SHARED): the starter rules were used")
        return context

    def size(self, full, quick, smoke):
        """One of three numbers, by how much is to be measured."""
        return smoke if self.smoke else quick if self.quick else full

    def program(self, name):
        path = self.target / "release" / name
        if not path.exists():
            raise Missing(f"`{path}` is not built")
        return str(path)

    @property
    def squall(self):
        return os.environ.get("SQUALL_BIN") or self.program("squall")

    @property
    def bench(self):
        return self.program("squall-bench")

    @property
    def scan_bench(self):
        return self.program("examples/bench")

    def folder(self, name):
        """A new folder that is removed when the part has ended."""
        path = self.dir / "now" / name
        path.mkdir(parents=True)
        return path


def rules(root, smoke):
    shared = Path(os.environ.get("SQUALL_SHARED", root.parent / "shared"))
    found = shared / "signature-base"
    return found if found.is_dir() and not smoke else root / "config/signatures"


def output_of(command, **options):
    """Runs a command that must succeed; returns what it printed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"`{' '.join(map(str, command))}` failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout
