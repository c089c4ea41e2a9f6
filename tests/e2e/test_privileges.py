"""A service that root starts becomes somebody else for good, and everything goes on working as that user."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.places import BINARY
from support.rules import CLEAN, MARKER, write_rules
from support.service import Service, ended_well, free_port, wait_until
from support.tokens import bearer, squall, token
from test_systemd import Systemd
from test_tls import certificate, make_certificate

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else: run this as root")

# There on every Linux.
UID, GID, ADM = 1, 1, 4
NO_RIGHTS = "0" * 16
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")

needs_setpriv = pytest.mark.skipif(not shutil.which("setpriv"), reason="no setpriv")


@pytest.fixture
def place():
    """A folder that others than root can look into, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="squall-privileges-"))
    folder.chmod(0o755)
    write_rules(folder / "rules")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def serve(place):
    """Starts services in that folder; each is stopped and checked at the end."""
    with ended_well() as services:

        def begin(*args, token=None, **options):
            service = Service(place / "squall", "--signatures", str(place / "rules"), *map(str, args), **options)
            if token:
                service._session.headers.update(bearer(token))
            services.append(service)
            return service.start()

        yield begin


def low_port() -> int:
    """Returns a port that only root can have and nobody has."""
    for port in range(1023, 600, -1):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port below 1024 is free")


def statuses(service) -> list[dict[str, str]]:
    """What the kernel says of every thread."""
    paths = Path(f"/proc/{service.process.pid}/task").glob("*/status")
    lines = (line.split(":", 1) for path in paths for line in path.read_text().splitlines())
    found, current = [], None
    for name, text in lines:
        if name == "Name":
            current = {}
            found.append(current)
        current[name] = " ".join(text.split())
    return found


def said(service) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", service.output())


def give(gid, mode, *paths):
    for path in paths:
        os.chown(path, 0, gid)
        path.chmod(mode)


def refused(place, *args, before=()) -> str:
    """Starts a service that must not start; returns why it says it does not."""
    command = [*before, BINARY, "serve", "--server-port", free_port(), "--signatures", place / "rules", *args]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, cwd=place)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "panicked" not in done.stderr
    return done.stderr


def test_every_thread_is_somebody_else_for_good_and_all_works(place, serve):
    cert, key = make_certificate(place / "tls", "own")
    give(ADM, 0o640, cert, key)
    logs, kept = place / "logs", place / "deep/er/kept"
    service = serve(
        "--run-as", "daemon:adm", "--server-cert", cert, "--server-key", key, "--logfile", logs / "squall.log",
        "--jsonfile", logs / "squall.json", "--server-store-samples", "all", "--server-upload-dir", kept,
        tls=True, port=low_port(),
    )  # fmt: skip
    large = MARKER + b"x" * 5_000_000
    for content in (MARKER, CLEAN, large):
        service.check(content)
        assert service.result(service.enqueue(content))["status"].startswith("Sample analysis")
    assert len(service.check(MARKER)) == 1
    wait_until(lambda: service.json("/api/v1/findings")["findings"], 15, "findings are stored")

    threads = statuses(service)
    assert len(threads) > 4
    for thread in threads:
        assert thread["Uid"] == " ".join([str(UID)] * 4) and thread["Gid"] == " ".join([str(ADM)] * 4)
        assert thread["Groups"] == str(ADM) and thread["NoNewPrivs"] == "1"
        assert {name: thread[name] for name in SETS} == dict.fromkeys(SETS, NO_RIGHTS)

    made = [path for top in (service.data, logs, place / "deep") for path in (top, *top.rglob("*"))]
    assert len(made) > 20 and {(path.lstat().st_uid, path.lstat().st_gid) for path in made} == {(UID, ADM)}
    assert service.data.stat().st_mode & 0o777 == 0o700
    assert "privileges: user daemon (uid 1), group adm (gid 4), no capabilities" in said(service)
    assert "runs as root" not in said(service)
    # And once more, with all of it there.
    service.stop()
    service.start()
    assert service.status()["scanned_samples"] >= 6


def test_what_changes_is_read_again_as_that_user(place, serve):
    cert, key = make_certificate(place / "tls", "own")
    give(GID, 0o640, cert, key)
    log = place / "logs/squall.log"
    service = serve(
        "--run-as", "daemon", "--server-cert", cert, "--server-key", key, "--logfile", log, tls=True, port=low_port()
    )
    before = certificate(service)
    log.rename(log.with_suffix(".1"))
    rules = place / "rules/more.yar"
    rules.write_text('rule E2E_more { strings: $a = "one-more-rule" condition: $a }')
    service.signal(signal.SIGHUP)
    wait_until(log.exists, 10, "the log is opened again")
    assert log.stat().st_uid == UID
    wait_until(lambda: service.check(b"one-more-rule"), 20, "the rules are read again")

    # A certificate that it may read, and one that it may not.
    new_cert, new_key = make_certificate(place / "new", "new")
    give(GID, 0o640, new_cert, new_key)
    for new, path in ((new_key, key), (new_cert, cert)):
        new.rename(path)
    renewed = wait_until(lambda: certificate(service) != before and certificate(service), 20, "the new certificate")
    closed_cert, closed_key = make_certificate(place / "closed", "closed")
    give(0, 0o600, closed_cert, closed_key)
    for new, path in ((closed_key, key), (closed_cert, cert)):
        new.rename(path)
    told = re.compile(rf"cannot read `{re.escape(str(cert))}`.*Permission denied|Permission denied.*{re.escape(str(cert))}")
    # It looks when somebody connects.
    wait_until(lambda: certificate(service) == renewed and told.search(said(service)), 20, "it says which it cannot read")
    # And so it would not start.
    service.stop()
    told = refused(
        place, "--run-as", "daemon", "--data-dir", service.data, "--server-cert", cert, "--server-key", key
    )
    assert f"`{cert}` (`server-cert`) cannot be read by user `daemon`" in told and f"chgrp daemon {cert}" in told


def test_a_token_that_root_makes_is_good_at_once(place, serve):
    data = place / "squall/data"
    first = token(data, "admin", "first", "--run-as", "daemon")
    assert data.stat().st_uid == UID, "made before the first start"
    service = serve("--run-as", "daemon", "--access", "tokens", token=first)
    assert service.get("/api/v1/findings", headers=bearer("none")).status_code == 401
    second = token(data, "read", "second")
    wait_until(lambda: service.get("/api/v1/findings", headers=bearer(second)).status_code == 200, 5, "the token counts")


def test_what_root_makes_of_tokens_is_the_users_and_follows_no_link(place):
    """Whoever took the service over has its directory, and waits there for root to come by."""
    data, roots = place / "data", place / "roots"
    token(data, "read", "first", "--run-as", "daemon")
    assert {path.lstat().st_uid for path in (data, *data.rglob("*"))} == {UID}
    assert '"who":"uid 0","from":"command line","what":"token create first (read)"' in (data / "audit.log").read_text()
    roots.mkdir()
    (roots / "own").write_text("root's own\n")
    give(0, 0o600, roots / "own")
    for name, target in (("audit.log", roots / "own"), ("access/tokens.lock", roots / "new")):
        (data / name).unlink()
        (data / name).symlink_to(target)
        os.lchown(data / name, UID, GID)
        told = squall(data, "token", "create", "--role", "read", "--name", name.replace("/", "-"), check=False).stderr
        assert "Permission denied" in told, name
        assert (roots / "own").read_text() == "root's own\n" and (roots / "own").stat().st_uid == 0
        assert [path.name for path in roots.iterdir()] == ["own"], name
        (data / name).unlink()


@pytest.mark.parametrize(("account", "reason"), [
    ("nobody-at-all", "there is no user `nobody-at-all` in `/etc/passwd`"),
    ("daemon:no-such-group", "there is no group `no-such-group` in `/etc/group`"),
    ("4711", "its group is not known"),
    ("root", "user `root` is root"),
    ("0:daemon", "user `0` is root"),
    ("a b", "expected USER or USER:GROUP"),
])  # fmt: skip
def test_whom_it_cannot_become_is_told_at_the_start(place, account, reason):
    told = refused(place, "--run-as", account, "--data-dir", place / "data")
    assert reason in told and "run-as" in told
    assert not (place / "data").exists()


def test_what_the_user_cannot_write_is_told_with_what_helps(place):
    data = place / "data"
    data.mkdir(mode=0o700)
    (data / "old").touch()
    told = refused(place, "--run-as", "daemon", "--data-dir", data)
    assert f"`{data}` (`data-dir`) cannot be written by user `daemon`" in told
    assert f"chown -R daemon:daemon {data}" in told
    # Not all of it.
    os.chown(data, UID, GID)
    (data / "old").chmod(0o600)
    assert f"`{data / 'old'}` (`data-dir`) cannot be written" in refused(place, "--run-as", "daemon", "--data-dir", data)
    os.chown(data / "old", UID, GID)
    told = refused(place, "--run-as", "daemon", "--data-dir", data, "--logfile", place / "squall.log")
    assert f"`{place}` (`logfile`) cannot be written" in told and "install -d" in told
    assert data.stat().st_uid == UID and place.stat().st_uid == 0, "nothing changed its owner"


def test_root_without_the_setting_is_warned(serve):
    service = serve()
    warning = next(line for line in said(service).splitlines() if "runs as root" in line)
    assert "WARN" in warning and "`run-as`" in warning
    assert all(thread["Uid"] == "0 0 0 0" and thread["NoNewPrivs"] == "1" for thread in statuses(service))
    # It stays what it is.
    assert statuses(service)[0]["CapEff"] == statuses(service)[0]["CapPrm"] != NO_RIGHTS


@needs_setpriv
@pytest.mark.parametrize("run_as", [["--run-as", "daemon"], [], ["--sandbox", "off"]])
def test_who_is_that_user_already_gives_up_what_else_it_was_given(place, serve, run_as):
    # As a unit of systemd has it with `User=` and `AmbientCapabilities=`.
    right = "+net_bind_service"
    as_daemon = ["setpriv", "--reuid", str(UID), "--regid", str(GID), "--clear-groups"]
    if subprocess.run([*as_daemon, "test", "-x", BINARY]).returncode != 0:
        pytest.skip(f"nobody but root can run {BINARY}")
    with_right = [*as_daemon, "--inh-caps", right, "--ambient-caps", right]
    for folder in ("squall/data", "squall/home", "squall/tmp", "squall/cwd"):
        (place / folder).mkdir(parents=True)
        os.chown(place / folder, UID, GID)
    service = serve(*run_as, before=with_right, port=low_port())
    assert len(service.check(MARKER)) == 1
    for thread in statuses(service):
        assert thread["Uid"] == " ".join([str(UID)] * 4) and thread["NoNewPrivs"] == "1"
        assert {thread[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {NO_RIGHTS}
    service.stop()
    # Nobody becomes another.
    told = refused(place, "--run-as", "nobody", "--data-dir", place / "other", before=as_daemon)
    assert "the service was started by uid 1" in told and "cannot become anybody else" in told
    assert not (place / "other").exists()


def test_systemd_hears_from_that_user(place, serve):
    heard = Systemd(place / "notify")
    (place / "notify").chmod(0o777)
    try:
        service = serve("--run-as", "daemon", env={"NOTIFY_SOCKET": heard.path})
        heard.wait_for("READY")
        service.signal(signal.SIGHUP)
        heard.wait_for("RELOADING")
    finally:
        heard.socket.close()


def test_an_update_by_root_leaves_nothing_that_is_roots(place, serve):
    bundle = place / "bundle"
    bundle.mkdir()
    (bundle / "brought.yar").write_text('rule E2E_brought { strings: $a = "brought-by-hand" condition: $a }')
    service = serve("--run-as", "daemon")
    update = [BINARY, "signatures", "update", "--data-dir", service.data, "--from", bundle]
    done = subprocess.run([*map(str, update)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: service.check(b"brought-by-hand"), 20, "the service takes it")
    assert {path.lstat().st_uid for path in (service.data / "signatures").rglob("*")} == {UID}
    assert '"who":"uid 0","from":"command line","what":"signatures update --from' in (service.data / "audit.log").read_text()


@needs_setpriv
@pytest.mark.parametrize("closed", ["signatures", "own-signatures"])
def test_rules_that_another_user_may_not_see_are_no_absent_rules(place, closed):
    as_daemon = ["setpriv", "--reuid", str(UID), "--regid", str(GID), "--clear-groups"]
    if subprocess.run([*as_daemon, "test", "-x", BINARY]).returncode != 0:
        pytest.skip(f"nobody but root can run {BINARY}")
    settings, sample, data = place / "squall.yml", place / "sample", place / "data"
    settings.write_text(f"data-dir: {data}\nsignatures: {place / 'rules'}\n")
    sample.write_bytes(CLEAN)
    data.mkdir(mode=0o755)
    (data / closed).mkdir(mode=0o700)
    commands = (["scan", sample], ["signatures", "check"], ["signatures", "list"], ["signatures", "test", "--samples", sample])
    for command in commands:
        run = [*as_daemon, BINARY, *command, "-t", settings]
        done = subprocess.run([*map(str, run)], capture_output=True, text=True, timeout=60, cwd=place)
        assert done.returncode == 2, (command, done.stderr)
        assert f"{data / closed}" in done.stderr and "Permission denied" in done.stderr, command
        assert "run this as the user" in done.stderr and "`data-dir`" in done.stderr, command


def test_a_store_that_root_rebuilds_is_the_users(place, serve):
    log = place / "logs/squall.json"
    service = serve("--run-as", "daemon", "--jsonfile", log)
    service.check(MARKER)
    found = lambda: service.json("/api/v1/findings")["findings"]  # noqa: E731
    wait_until(found, 15, "the finding is stored")
    service.stop()

    def findings(*args):
        command = [BINARY, "findings", *args, "--data-dir", service.data]
        return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60)

    rebuilt = findings("rebuild", log)
    assert rebuilt.returncode == 0 and "1 findings from 1 log(s)" in rebuilt.stdout, rebuilt.stderr
    assert {path.lstat().st_uid for path in service.data.rglob("*")} == {UID}
    said = '"who":"uid 0","from":"command line","what":"findings rebuild","outcome":"done"'
    assert said in (service.data / "audit.log").read_text()
    service.start()
    wait_until(found, 15, "the service has its store")
    # What is written elsewhere is root's, and stays where nothing comes in its place.
    roots = place / "roots"
    roots.mkdir(mode=0o700)
    exported = findings("export", "-o", roots / "findings.jsonl")
    assert exported.returncode == 0, exported.stderr
    assert "E2E_Marker" in (roots / "findings.jsonl").read_text() and (roots / "findings.jsonl").stat().st_uid == 0
    before = (roots / "findings.jsonl").read_bytes()
    assert findings("export", "-o", roots / "findings.jsonl", "--findings-db", place / "none.db").returncode == 1
    assert (roots / "findings.jsonl").read_bytes() == before
    assert {path.lstat().st_uid for path in service.data.rglob("*")} == {UID}
