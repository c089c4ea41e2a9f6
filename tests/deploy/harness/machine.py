"""A machine: a Debian root of its own, booted with systemd or entered as it is."""

import json
import shutil
import subprocess
import time
from pathlib import Path

from harness import root

BOOT = Path(__file__).with_name("boot.sh")
BOOT_SECONDS = 60


def _mount(kind: str, place: Path, options: str) -> None:
    subprocess.run(["mount", "-t", kind, "-o", options, kind, str(place)], check=True, timeout=60)


class Result(subprocess.CompletedProcess):
    """What a command printed: `both` is standard output and standard error, in this order."""

    @property
    def both(self) -> str:
        return self.stdout + self.stderr


class Machine:
    """A Debian root below `folder`; `boot` starts it, without which commands run in a chroot."""

    def __init__(self, folder: Path):
        self.root = folder / "root"
        self._changes = folder / "changes"
        self._process = None
        self._pid = None
        self.root.mkdir(parents=True)
        self._changes.mkdir()
        # In memory: machines come and go, and none has to survive a power cut.
        _mount("tmpfs", self._changes, "mode=755")
        upper, work = self._changes / "upper", self._changes / "work"
        upper.mkdir()
        work.mkdir()
        _mount("overlay", self.root, f"lowerdir={root.folder()},upperdir={upper},workdir={work}")

    # ---- life

    def boot(self) -> "Machine":
        """Starts systemd and returns when it has started everything."""
        self._process = subprocess.Popen(
            ["unshare", "-mpfCnui", "--kill-child=SIGKILL", "sh", str(BOOT), str(self.root)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + BOOT_SECONDS
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        while True:
            assert self._process.poll() is None, self._process.stdout.read().decode(errors="replace")
            self._pid = children.read_text().strip() or None
            if self._pid and Path(f"/proc/{self._pid}/comm").read_text().strip() == "systemd":
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
                if state in ("running", "degraded"):
                    return self
            assert time.monotonic() < end, "the machine does not boot"
            time.sleep(0.1)

    def destroy(self) -> None:
        """Ends every process of the machine and removes its root."""
        if self._process:
            if self._pid:
                # Process 1 of the namespace: the kernel ends all others with it.
                subprocess.run(["kill", "-KILL", self._pid], check=False)
            self._process.kill()
            self._process.wait(30)
            self._process.stdout.close()
            self._process = self._pid = None
        for place in (self.root, self._changes):
            subprocess.run(["umount", "--lazy", str(place)], check=False)

    # ---- commands

    def run(self, *command: str, check=True, text: str = "", seconds=240, **env: str) -> Result:
        """Runs a command as root, with `text` as its input; fails on another exit status than 0."""
        if self._pid:
            enter = ["nsenter", "-t", self._pid, "-a", "-r", "-w"]
        else:
            enter = ["unshare", "-mpf", "--kill-child", f"--mount-proc={self.root}/proc", "chroot", str(self.root)]
        variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", **env}
        done = subprocess.run(
            [*enter, "env", "-i", *(f"{name}={value}" for name, value in variables.items()), *map(str, command)],
            input=text,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        result = Result(done.args, done.returncode, done.stdout, done.stderr)
        assert not check or result.returncode == 0, f"{command}: {result.returncode}\n{result.both}"
        return result

    def put(self, source: Path, target: str) -> str:
        """Copies a file or a directory onto the machine; returns where it is there."""
        path = self.path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, path, dirs_exist_ok=True)
        else:
            shutil.copy2(source, path)
        return target

    def write(self, target: str, text: str | bytes, mode: int = 0o644) -> str:
        """Writes a file on the machine; returns where it is there."""
        path = self.path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return target

    def path(self, inside: str) -> Path:
        """Where a path of the machine is on this one."""
        return self.root / inside.lstrip("/")

    def exists(self, inside: str) -> bool:
        """Tells whether a path is there, be it a dangling link."""
        path = self.path(inside)
        return path.exists() or path.is_symlink()

    def owner(self, inside: str) -> str:
        """Returns `MODE USER GROUP` of a path."""
        return self.run("stat", "-c", "%a %U %G", inside).stdout.strip()

    def contents(self, *folders: str) -> dict[str, tuple]:
        """Every path below some folders with what would show a change of it."""
        found = {}
        for folder in folders:
            for path in [self.path(folder), *self.path(folder).rglob("*")]:
                if path.exists() or path.is_symlink():
                    stat = path.lstat()
                    what = (stat.st_mode, stat.st_uid, stat.st_gid)
                    # The time of a directory changes with every short-lived file in it.
                    found[str(path)] = what if path.is_dir() else (*what, stat.st_size, stat.st_mtime_ns)
        return found

    # ---- the service

    def unit(self, property_name: str) -> str:
        """Returns a property of the service's unit."""
        return self.run("systemctl", "show", "-P", property_name, "squall.service").stdout.strip()

    def curl(self, *arguments: str, check=True) -> str:
        """Runs curl on the machine; returns what it got."""
        return self.run("curl", "-sSk", "--max-time", "60", *arguments, check=check).stdout

    def json(self, path: str, base: str = "http://127.0.0.1:8080"):
        """Returns the JSON that the service answers on a path."""
        return json.loads(self.curl(base + path))

    def wait_ready(self, base: str = "http://127.0.0.1:8080", seconds: float = 60) -> None:
        """Returns when the service answers and has rules."""
        end = time.monotonic() + seconds
        while True:
            answer = self.curl("-f", f"{base}/api/info", check=False)
            if '"rules":' in answer and '"rules":0,' not in answer:
                return
            assert time.monotonic() < end, f"not ready: {answer}\n{self.journal()}"
            time.sleep(0.2)

    def journal(self) -> str:
        """Returns what the service said."""
        return self.run("journalctl", "-u", "squall", "--no-pager", "-o", "cat", check=False).stdout

    def check(self, content: bytes, base: str = "http://127.0.0.1:8080") -> list:
        """Has a sample scanned at once; returns the findings."""
        self.write("/root/sample", content)
        return json.loads(self.curl("-F", "file=@/root/sample", f"{base}/api/check"))

    def enqueue(self, contents: list[bytes], base: str = "http://127.0.0.1:8080") -> list[int]:
        """Queues samples, in one run of curl; returns their ids."""
        transfers = []
        for number, content in enumerate(contents):
            name = self.write(f"/root/samples/{number}", content)
            transfers.append(f'url = "{base}/api/checkAsync"\nform = "file=@{name}"\nwrite-out = "\\n"\n')
        self.write("/root/transfers", "next\n".join(transfers))
        lines = self.curl("--fail", "-K", "/root/transfers").split()
        ids = [json.loads(line)["id"] for line in lines]
        assert len(set(ids)) == len(contents), lines
        return ids

    def results(self, ids: list[int], base: str = "http://127.0.0.1:8080", seconds: float = 120) -> dict[int, dict]:
        """Waits until every queued sample is done; returns the answers by id."""
        end = time.monotonic() + seconds
        done: dict[int, dict] = {}
        while len(done) < len(ids):
            waiting = [sample for sample in ids if sample not in done]
            urls = [f"{base}/api/getAsyncResults?id={sample}" for sample in waiting]
            answers = self.curl("-w", "\\n", *urls).splitlines()
            for sample, answer in zip(waiting, map(json.loads, answers), strict=True):
                assert "status" in answer, f"sample {sample}: {answer}"
                if answer["status"].startswith("Sample analysis"):
                    done[sample] = answer
            assert time.monotonic() < end, f"{len(ids) - len(done)} of {len(ids)} samples are not done"
            time.sleep(0.2)
        return done
