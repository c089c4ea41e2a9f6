"""`squall scan`: exit statuses, archives, effort, signals."""

import json
import resource
import signal
import socket
import subprocess
import time
import zipfile

import html5lib
import pytest

from support.local_scan import issues
from support.places import BINARY
from support.rules import CLEAN, EICAR, MARKER, SLOW, SLUGGISH
from support.shapes import check_v3


# ---- exit status and text


def test_a_clean_tree_is_0_and_says_what_was_scanned(scan, tree):
    (tree / "a.txt").write_bytes(CLEAN)
    (tree / "empty").write_bytes(b"")
    done = scan(tree)
    assert (done.status, done.out) == (0, b"")
    assert "scanned 2 files" in done.err


def test_a_finding_is_1_and_a_line_on_standard_output(scan, tree):
    (tree / "a.php").write_bytes(MARKER)
    done = scan(tree)
    assert done.status == 1
    [line] = done.out.decode().splitlines()
    assert f" FILE: {tree}/a.php " in line and " RULENAME_1: E2E_Marker " in line
    assert "findings: 1 files (0 Alert, 1 Warning, 0 Notice)" in done.err


def test_a_single_file_and_relative_paths(scan, tree):
    (tree / "a.php").write_bytes(MARKER)
    [finding] = scan("--json", "-", "tree/a.php", cwd=tree.parent).json()
    check_v3(finding, MARKER, str(tree / "a.php"), source=socket.gethostname())


def test_what_is_missing_is_an_error_that_hides_nothing(scan, tree):
    (tree / "a.txt").write_bytes(CLEAN)
    done = scan("--json", "-", tree / "missing", tree)
    assert done.status == 2
    assert issues(done.json()) == {("unreadable", str(tree / "missing"))}
    assert "scanned 1 files" in done.err
    (tree / "b.txt").write_bytes(MARKER)
    assert scan(tree / "missing", tree).status == 1


@pytest.mark.parametrize(
    "arguments",
    [["--cpu-limit", "0"], ["--exclude", "a["], ["--html", "/no/such/dir/x"], ["--json", "-", "--csv", "-"], ["--no-such"]],
)
def test_what_cannot_be_done_is_2_and_said(scan, tree, arguments):
    (tree / "b.txt").write_bytes(MARKER)
    done = scan(*arguments, tree)
    assert done.status == 2
    assert arguments[0].lstrip("-") in done.err or arguments[-1] in done.err
    assert done.out == b""


def test_signatures_that_are_missing_are_2(tree):
    done = subprocess.run([BINARY, "scan", "--signatures", tree / "no", tree], capture_output=True, timeout=60)
    assert done.returncode == 2
    assert str(tree / "no") in done.stderr.decode()


def test_an_output_nobody_reads_any_more_ends_the_scan(command, tree):
    for number in range(300):
        (tree / f"{number}").write_bytes(MARKER)
    child = subprocess.Popen(command(tree), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.close()
    err = child.stderr.read().decode()
    assert child.wait(timeout=60) == 2
    assert "standard output" in err and "panic" not in err


def test_help_tells_all(scan):
    done = subprocess.run([BINARY, "scan", "--help"], capture_output=True, timeout=60)
    text = done.stdout.decode()
    for flag in (
        "text json csv html include exclude max-size max-age cpu-limit follow-symlinks one-file-system threads "
        "signatures custom-signatures signature-cache-dir pure-yara max-recursion-depth max-nested-objects noarchive "
        "archive-password notice warning alert utc rfc3339 log-level template scan-timeout"
    ).split():
        assert f"--{flag}" in text, flag
    assert "Exit status" in text
    assert "--server-port" not in text and "--verdict-cache-size" not in text


# ---- archives


def test_a_member_is_found_with_its_path(scan, tree):
    with zipfile.ZipFile(tree / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/eicar.com", EICAR)
    done = scan("--json", "-", tree)
    assert done.status == 1
    [finding] = [f for f in done.json() if "|" in f["subject"]["path"]]
    assert finding["subject"]["path"] == f"{tree}/x.zip|inner/eicar.com"
    assert finding["context"][0]["object"]["path"] == f"{tree}/x.zip"


def encrypted_zip():
    """A zip with one member whose bytes are noise, marked as encrypted."""
    name, body = b"x", bytes(range(24))
    local = b"PK\x03\x04" + b"\x14\0\x01\0\0\0\0\0!\0" + b"\1\2\3\4" + len(body).to_bytes(4, "little")
    local += (12).to_bytes(4, "little") + len(name).to_bytes(2, "little") + b"\0\0" + name + body
    central = b"PK\x01\x02\x14\0" + local[4:30] + b"\0" * 2 + b"\0" * 4 + b"\0" * 4 + b"\0" * 4 + name
    end = b"PK\x05\x06\0\0\0\0\1\0\1\0" + len(central).to_bytes(4, "little") + len(local).to_bytes(4, "little") + b"\0\0"
    return local + central + end


def test_an_encrypted_archive_is_2_and_never_clean(scan, tree):
    (tree / "x.zip").write_bytes(encrypted_zip())
    done = scan("--json", "-", tree)
    assert done.status == 2, done.err
    assert issues(done.json()) == {("encrypted", f"{tree}/x.zip|x")}
    assert "1 not completely" in done.err


# ---- effort and ending


def cpu_share(command, *arguments):
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command("--threads", "1", *arguments), capture_output=True, timeout=100)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), wall


def test_the_cpu_limit_is_kept(command, tree):
    for number in range(60):
        (tree / f"{number}").write_bytes(SLUGGISH)
    cpu, wall = cpu_share(command, "--cpu-limit", "25", tree)
    # Loading the signatures is not limited; the rest is at a quarter.
    assert cpu / wall < 0.45, (cpu, wall)
    free_cpu, free_wall = cpu_share(command, tree)
    assert wall > 2 * free_cpu, (cpu, wall, free_cpu, free_wall)


def stopped(command, tree, signals):
    html = tree.parent / "o.html"
    child = subprocess.Popen(
        command("--threads", "1", "--json", "-", "--html", html, tree), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    first = child.stdout.readline()
    for number in signals:
        child.send_signal(number)
        time.sleep(0.2)
    out, err = child.communicate(timeout=60)
    assert b"panic" not in err
    findings = [json.loads(line) for line in (first + out).splitlines()]
    assert 1 <= len(findings) < 100
    page = html5lib.parse(html.read_text(), namespaceHTMLElements=False)
    cards = [e for e in page.iter() if e.get("class") == "finding"]
    assert len(cards) == len(findings)
    assert "the scan was stopped before it was complete" in html.read_text()
    return child.returncode, err.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_scan_with_what_was_found(command, tree, number):
    for file in range(200):
        (tree / f"{file}").write_bytes(SLUGGISH)
    status, err = stopped(command, tree, [number])
    assert status == 1
    assert "the scan was stopped before it was complete" in err


def test_a_second_signal_does_not_wait_for_the_files_in_hand(command, tree):
    for file in range(3):
        (tree / f"{file}").write_bytes(SLOW + b"x" * 5)
    (tree / "nested").mkdir()
    started = time.monotonic()
    stopped(command, tree, [signal.SIGINT, signal.SIGINT])
    assert time.monotonic() - started < 30


def test_stopped_before_anything_was_found_is_2(command, tree):
    for file in range(20):
        (tree / f"{file}").write_bytes(SLOW)
    child = subprocess.Popen(command("--notice", "100", "--warning", "100", "--alert", "100", "--threads", "1", tree),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    time.sleep(2.5)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 2, err.decode()
    assert b"panic" not in err
