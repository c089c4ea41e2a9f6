"""The scanners and services that Squall is compared with."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from context import THREADS, Missing, output_of
from service import free_port

HERE = Path(__file__).resolve().parent

# As `EXTERNAL_VARIABLES` of the engine crate; all are strings.
VARIABLES = (
    "filename filepath extension filetype md5 owner group filemode timezone language osversion "
    "unpack_parent unpack_source"
).split()

running = []


def rule_files(context):
    return sorted(path for path in context.rules.rglob("*") if path.suffix.lower() in (".yar", ".yara"))


def timed(command, codes=(0,)):
    """Seconds that a command took; its output is thrown away."""
    began = time.monotonic()
    done = subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode not in codes:
        raise RuntimeError(f"`{command[0]}` failed with {done.returncode}: {done.stderr[-2000:]}")
    return seconds


def stop_all():
    """Ends what is still running."""
    for process in running:
        process.terminate()
    for process in running:
        process.wait()
    running.clear()


class YaraX:
    """`yr`, the engine's own command line, of the version in the lock file."""

    def __init__(self, context, listed):
        self.program = yr(context)
        self.listed = listed
        self.compiled = context.dir / "yr.compiled"
        variables = [word for name in VARIABLES for word in ("--define", f"{name}=\"\"")]
        sources = [f"{at}:{path}" for at, path in enumerate(rule_files(context))]
        output_of([self.program, "compile", "--output", self.compiled, *variables, *sources])

    def scan(self):
        return timed(
            [self.program, "scan", "--threads", THREADS, "--disable-warnings", "--compiled-rules", "--scan-list", self.compiled, self.listed]
        )


def yr(context):
    """Where `yr` is: `YR` of the environment, else installed once beside the other tools."""
    version = re.search(r'name = "yara-x"\nversion = "([^"]+)"', (context.root / "Cargo.lock").read_text())[1]
    places = [os.environ.get("YR"), context.tools / "bin/yr"]
    for place in places:
        if place and Path(place).exists() and version in output_of([place, "--version"]):
            return str(place)
    if context.quick:
        raise Missing(f"`yr` {version} is not there (`YR`), and installing it takes minutes")
    command = ["cargo", "install", "--quiet", "--locked", "--features", "native-code-serialization"]
    done = subprocess.run([*command, "--root", str(context.tools), f"yara-x-cli@{version}"], check=False)
    if done.returncode != 0:
        raise Missing(f"`yara-x-cli` {version} cannot be installed")
    return str(context.tools / "bin/yr")


def debian(program, package):
    """Where a program of Debian is; installed if that can be done."""
    found = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package],
                       env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)  # fmt: skip
        found = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
    if not found:
        raise Missing(f"`{program}` is not installed (Debian's package `{package}`)")
    return found


class Peer:
    """Something that is started once and asked several times."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop_all()


class Yara(Peer):
    """Debian's `yara`, with all rules that it can compile."""

    def __init__(self, context, listed):
        self.program = debian("yara", "yara")
        self.listed = listed
        self.compiled = context.dir / "yara.compiled"
        variables = [word for name in VARIABLES for word in ("-d", f"{name}=")]
        left_out = []
        files = rule_files(context)
        while True:
            sources = [f"n{at}:{path}" for at, path in enumerate(files) if path not in left_out]
            done = subprocess.run(["yarac", "-w", *variables, *sources, str(self.compiled)], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                break
            bad = re.search(r"(/\S+)\(\d+\): error", done.stderr)
            if not bad or len(left_out) > 50:
                raise Missing(f"`yarac` failed: {done.stderr[-500:]}")
            left_out.append(Path(bad[1]))
        self.about = f"{len(files) - len(left_out)} of {len(files)} rule files compile there"

    def scan(self):
        return timed([self.program, "-C", "-w", "-N", "-p", THREADS, "--scan-list", self.compiled, self.listed], codes=(0, 1))


class Clamd(Peer):
    """Debian's `clamd`, which gets the files over a socket from two `clamdscan --stream`."""

    def __init__(self, context, listed):
        self.clamd = debian("clamd", "clamav-daemon")
        self.client = debian("clamdscan", "clamdscan")
        self.folder = Path(tempfile.mkdtemp(prefix="clamd-"))
        database = self.folder / "database"
        database.mkdir()
        hashes, strings = write_database(context, database)
        self.about = f"{hashes:,} hash and {strings:,} string signatures, which is what its formats allow of the set"
        self.config = self.folder / "clamd.conf"
        self.config.write_text(
            f"LocalSocket {self.folder}/socket\nDatabaseDirectory {database}\nForeground yes\nMaxThreads {THREADS}\n"
            f"User {'root' if os.geteuid() == 0 else os.environ.get('USER', 'nobody')}\nStreamMaxLength 100M\n"
            "OfficialDatabaseOnly no\nConcurrentDatabaseReload no\n"
        )
        self.halves = split(listed, self.folder)
        log = open(self.folder / "log", "wb")
        running.append(subprocess.Popen([self.clamd, "-c", str(self.config)], stdout=log, stderr=log))
        deadline = time.monotonic() + 60
        while not (self.folder / "socket").exists():
            if time.monotonic() > deadline or running[-1].poll() is not None:
                stop_all()
                raise Missing(f"`clamd` does not start: {(self.folder / 'log').read_text()[-500:]}")
            time.sleep(0.1)

    def scan(self):
        began = time.monotonic()
        command = [self.client, "-c", str(self.config), "--stream", "--no-summary", "--infected"]
        clients = [
            subprocess.Popen([*command, f"--file-list={half}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for half in self.halves
        ]
        codes = [client.wait() for client in clients]
        # 1: something was found.
        if any(code not in (0, 1) for code in codes):
            raise RuntimeError(f"`clamdscan` failed with {codes}")
        return time.monotonic() - began

    def __exit__(self, *_):
        stop_all()
        shutil.rmtree(self.folder, ignore_errors=True)


def split(listed, folder):
    lines = Path(listed).read_text().splitlines()
    halves = []
    for at in range(THREADS):
        half = folder / f"half-{at}"
        half.write_text("\n".join(lines[at::THREADS]) + "\n")
        halves.append(half)
    return halves


def write_database(context, folder):
    """Hash indicators as `.hsb`, plain strings of rules as `.ndb`; returns how many of each."""
    hashes = set()
    for path in context.rules.rglob("*hash*.txt"):
        for line in path.read_text(errors="replace").splitlines():
            found = re.match(r"([0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})\b", line)
            if found:
                hashes.add(found[1].lower())
    # An empty database is an error to it.
    if hashes:
        (folder / "set.hsb").write_text("".join(f"{digest}:*:IOC-{at}:73\n" for at, digest in enumerate(sorted(hashes))))
    strings = set()
    for path in rule_files(context):
        text = path.read_text(errors="replace")
        # Text without escapes, long enough to be a signature by itself.
        strings.update(re.findall(r'\$\w* *= *"([^"\\]{12,120})"(?=[ \t]*(?:ascii|fullword|//|\n))', text))
    lines = (f"STR-{at}:0:*:{value.encode().hex()}\n" for at, value in enumerate(sorted(strings)))
    (folder / "set.ndb").write_text("".join(lines))
    return len(hashes), len(strings)


class PythonService(Peer):
    """What a user would write instead: FastAPI and yara-x for Python, two processes."""

    PACKAGES = ("fastapi==0.165.0", "uvicorn==0.54.0", "python-multipart==0.0.34", "httptools", "uvloop")

    def __init__(self, context):
        self.port = free_port()
        self.python = venv(context, self.PACKAGES)
        sources = context.dir / "python.rules"
        sources.write_text("".join(f"{path}\n" for path in rule_files(context)))
        self.environment = dict(os.environ, BENCH_RULES=str(sources), BENCH_VARIABLES=" ".join(VARIABLES))

    def __enter__(self):
        command = [self.python, "-m", "uvicorn", "python_service:app", "--app-dir", str(HERE / "peers"),
                   "--host", "127.0.0.1", "--port", str(self.port), "--workers", "2", "--log-level", "critical"]  # fmt: skip
        running.append(subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and running[-1].poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            time.sleep(0.2)
        # Each of the two compiles the rules before it answers.
        time.sleep(10)
        return f"127.0.0.1:{self.port}"


def venv(context, packages):
    """A Python environment with the packages; made once."""
    version = re.search(r'name = "yara-x"\nversion = "([^"]+)"', (context.root / "Cargo.lock").read_text())[1]
    folder = Path(os.environ.get("BENCH_VENV") or context.tools / "bench-venv")
    python = folder / "bin/python"
    wanted = [*packages, f"yara-x=={version}"]
    if not python.exists():
        if context.smoke:
            raise Missing("its Python environment is not there")
        done = subprocess.run([sys.executable, "-m", "venv", str(folder)], check=False)
        if done.returncode != 0:
            raise Missing("no Python environment can be made")
    stamp = folder / ".bench-packages"
    if not stamp.exists() or stamp.read_text() != "\n".join(wanted):
        done = subprocess.run([str(python), "-m", "pip", "install", "--quiet", *wanted], check=False)
        if done.returncode != 0:
            raise Missing("the Python packages cannot be installed")
        stamp.write_text("\n".join(wanted))
    return str(python)
