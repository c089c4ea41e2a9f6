"""A container without an engine: the Dockerfile's last stage, done on a Debian root, and started as it says."""

import json
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

from harness.delivery import DEPLOY
from harness.machine import Machine
from support.places import BINARY, REPOSITORY

RUN = Path(__file__).with_name("container.sh")
READ_ONLY = "Read-only file system"


def _instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile's last stage."""
    lines = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text()).splitlines()
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM "))
    return [tuple(line.split(None, 1)) for line in lines[last:]]


class Image:
    """What the Dockerfile makes of `machine`, a Debian root that is not booted."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self.volumes: list[str] = []
        for name, rest in _instructions():
            match name:
                case "FROM":
                    assert rest.startswith("debian:")
                case "RUN" if rest.startswith("apt-get "):
                    # The root has them already, made by the same tool from the same mirror.
                    for package in re.search(r"--no-install-recommends (.*?) &&", rest).group(1).split():
                        machine.run("dpkg", "-s", package)
                case "RUN":
                    machine.run("sh", "-ec", rest)
                case "COPY":
                    self._copy(shlex.split(rest))
                case "USER":
                    self.user = rest.split(":")
                case "WORKDIR":
                    self.workdir = rest
                case "VOLUME":
                    self.volumes = json.loads(rest)
                case "ENTRYPOINT":
                    self.entrypoint = json.loads(rest)
                case "CMD":
                    self.cmd = json.loads(rest)
                case "HEALTHCHECK":
                    self.health = json.loads(rest[rest.index(" CMD ") + len(" CMD ") :])
                case "EXPOSE":
                    self.port = int(rest)
                case _:
                    raise AssertionError(f"this test does not know {name}")

    def _copy(self, words: list[str]) -> None:
        if words[0] == "--from=build":
            assert words[1] == "/src/target/release/squall"
            self.machine.put(BINARY, words[2])
        else:
            self.machine.put(REPOSITORY / words[0], words[1])


class Container:
    """A container of an image with volumes of its own below `folder`."""

    def __init__(self, image: Image, folder: Path, **environment: str):
        self.image = image
        self.folder = folder
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **environment}
        self.output = folder / "output.log"
        self._process = None
        for volume in image.volumes:
            target = folder / volume.lstrip("/")
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                # As engines do it: a new volume begins as the image's directory, owner and rights included.
                subprocess.run(["cp", "-a", image.machine.path(volume), target], check=True)

    def _command(self, argv: list[str]) -> list[str]:
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        uid, gid = self.image.user
        return ["env", "-i", f"WORKDIR={self.image.workdir}", *variables, "unshare", "-mpf", "--kill-child",
                "sh", str(RUN), str(self.image.machine.root), uid, gid, str(self.folder),
                *self.image.volumes, "--", *argv]  # fmt: skip

    def run(self, *argv: str) -> subprocess.CompletedProcess:
        """Runs a command in a container of the same image and volumes, as `docker exec` and `docker run` do."""
        return subprocess.run(self._command(list(argv)), capture_output=True, text=True, timeout=60)

    def start(self, *arguments: str) -> None:
        """Starts the container with what the Dockerfile says."""
        command = self._command([*self.image.entrypoint, *(arguments or self.image.cmd)])
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def inner_pid(self) -> int:
        """The process of the container as this machine numbers it."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return int(children.read_text())

    def healthy(self) -> bool:
        """Asks as the engine does."""
        return self.run(*self.image.health).returncode == 0

    def stop(self) -> int:
        """Ends it as the engine does, with SIGTERM to its first process; returns the exit status."""
        subprocess.run(["kill", f"-{signal.SIGTERM.value}", str(self.inner_pid())], check=True)
        return self._process.wait(60)

    def kill(self) -> None:
        """Ends it whatever it does, and removes its volumes."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)
