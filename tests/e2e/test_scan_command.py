"""`squall scan`: outputs read by real parsers, hostile trees, exit statuses, signals."""

import base64
import csv
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
import zipfile
from pathlib import Path

import html5lib
import pytest

from support.places import BINARY
from support.rules import CLEAN, EICAR, MARKER, SECOND, SLOW, SLUGGISH
from support.shapes import check_v3

EICAR_RULE = r"""
rule E2E_Eicar {
    meta:
        description = "The standard test file"
        score = 90
    strings:
        $eicar = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
    condition:
        $eicar
}
"""

# Names a careless report would act on. The last is no UTF-8.
HOSTILE_NAMES = [
    b"line\nbreak.php",
    b"<script>alert(1)<_script>.php",
    b"\" onload=\"x.php",
    "right\u202egpj.php".encode(),
    b"=cmd|' _C calc'!A0.php",
    b"\x1b[31mred.php",
    b"\xff\xfe.php",
]


class Run:
    """A finished scan."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr.decode()

    def json(self):
        return [json.loads(line) for line in self.out.decode().split("\n") if line]


@pytest.fixture(scope="module")
def own_rules(rules, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan-rules")
    shutil.copytree(rules, folder, dirs_exist_ok=True)
    (folder / "yara" / "eicar.yar").write_text(EICAR_RULE)
    return folder


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


@pytest.fixture
def command(own_rules):
    """Builds the command line of a scan with the tests' rules."""

    def build(*arguments):
        return [str(BINARY), "scan", "--signatures", str(own_rules), *map(os.fspath, arguments)]

    return build


@pytest.fixture
def scan(command):
    def run(*arguments, **options):
        done = subprocess.run(command(*arguments), capture_output=True, timeout=100, **options)
        assert b"panic" not in done.stderr, done.stderr.decode()
        return Run(done)

    return run


def paths(findings):
    return {finding["subject"]["path"] for finding in findings}


def issues(findings):
    return {(issue["category"], finding["subject"]["path"]) for finding in findings for issue in finding.get("issues", [])}


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
        "signatures custom-signatures pure-yara max-recursion-depth noarchive notice template scan-timeout"
    ).split():
        assert f"--{flag}" in text, flag
    assert "Exit status" in text
    assert "--server-port" not in text


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


# ---- the outputs


def all_outputs(scan, tree, *arguments):
    folder = tree.parent
    done = scan(
        "--json", folder / "o.json", "--csv", folder / "o.csv", "--html", folder / "o.html", "--text", folder / "o.txt", *arguments, tree
    )
    assert done.out == b""
    return done, {kind: (folder / f"o.{kind}").read_bytes() for kind in ("json", "csv", "html", "txt")}


@pytest.fixture
def hostile(tree):
    for name in HOSTILE_NAMES:
        (Path(os.fsdecode(os.fsencode(tree) + b"/" + name))).write_bytes(b"..<b>" + MARKER + b"</b>\x00" + SECOND)
    (tree / "large").write_bytes(b"x" * 5000)
    return tree


def test_hostile_names_stay_text_in_every_output(scan, hostile):
    done, outputs = all_outputs(scan, hostile, "--max-size", "4000")
    assert done.status == 1
    count = len(HOSTILE_NAMES) + 1

    findings = [json.loads(line) for line in outputs["json"].decode().split("\n") if line]
    exact = {f"{hostile}/{os.fsdecode(name)}" for name in HOSTILE_NAMES[:-1]}
    exact |= {f"{hostile}/\\xff\\xfe.php", f"{hostile}/large"}
    assert paths(findings) == exact and len(findings) == count

    assert len(outputs["txt"].decode().splitlines()) == count
    assert b"\x1b" not in b"".join(outputs.values())
    for kind in ("csv", "html", "txt"):
        assert "\u202e" not in outputs[kind].decode()


def test_csv_is_rfc_4180_without_formulas(scan, hostile):
    _, outputs = all_outputs(scan, hostile, "--max-size", "4000")
    assert outputs["csv"].count(b"\r\n") == outputs["csv"].count(b"\n")
    rows = list(csv.DictReader(io.StringIO(outputs["csv"].decode(), newline=""), strict=True))
    assert len(rows) == len(HOSTILE_NAMES) + 1
    for row in rows:
        assert None not in row and None not in row.values()
        assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in row.values())
    [large] = [row for row in rows if row["path"].endswith("/large")]
    assert (large["score"], large["message"], large["sha256"]) == ("0", "File not scanned completely", "")
    assert "limit is 4000 (limit)" in large["not_scanned"]
    content = b"..<b>" + MARKER + b"</b>\x00" + SECOND
    found = [row for row in rows if row is not large]
    assert {row["sha256"] for row in found} == {hashlib.sha256(content).hexdigest()}
    # The name that turns the direction of reading is a finding of its own.
    rules = {rule for row in found for rule in row["rules"].split("; ")}
    assert rules == {"E2E_Marker", "E2E_Second", "Heuristic_Name_Direction_Control"}
    assert all({"E2E_Marker", "E2E_Second"} <= set(row["rules"].split("; ")) for row in found)


def test_the_report_is_one_safe_page(scan, hostile):
    _, outputs = all_outputs(scan, hostile, "--max-size", "4000")
    text = outputs["html"].decode()
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    page = parser.parse(text)
    elements = list(page.iter())

    [policy] = [e.get("content") for e in elements if e.tag == "meta" and e.get("http-equiv") == "Content-Security-Policy"]
    [script] = [e for e in elements if e.tag == "script"]
    [style] = [e for e in elements if e.tag == "style"]
    for element, kind in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy

    # Nothing else that could run or be loaded.
    for element in elements:
        if not isinstance(element.tag, str):
            continue
        assert element.tag not in ("img", "iframe", "object", "embed", "link", "b-script")
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (element.tag, name)
            assert name not in ("src", "style", "action"), (element.tag, name)
            if name == "href":
                assert value.startswith("https://") and "noreferrer" in element.get("rel")

    cards = [e for e in elements if e.get("class") == "finding"]
    assert len(cards) == len(HOSTILE_NAMES) + 1
    shown = ["".join(card.itertext()) for card in cards]
    assert any("<script>alert(1)<_script>.php" in card for card in shown)
    assert any("right\\u{202e}gpj.php" in card for card in shown)
    first = shown[0]
    for fact in ("E2E_Marker", "Marks a sample of the end-to-end tests", "Squall tests", "https://example.com/e2e-marker",
                 "adds 80.0 of", "own score 60", "SHA-256", "at 0x5"):
        assert fact in first, fact
    # The hex dump marks what matched.
    marks = ["".join(mark.itertext()) for mark in cards[0].iter("mark")]
    assert any(MARKER[:11].hex(" ") in mark for mark in marks), marks
    assert "squall-e2e-" in "".join(marks)
    # Highest score first, what was not scanned last.
    scores = [int(card.get("data-score")) for card in cards]
    assert scores == sorted(scores, reverse=True) and cards[-1].get("data-level") == "Gap"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium")
def test_a_browser_runs_the_pages_own_script_under_its_policy(scan, hostile):
    _, outputs = all_outputs(scan, hostile, "--max-size", "4000")
    page = hostile.parent / "o.html"
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={hostile.parent}/browser",
         "--enable-logging=stderr", "--dump-dom", f"file://{page}"],
        capture_output=True, timeout=90,
    )  # fmt: skip
    dom = done.stdout.decode()
    count = len(HOSTILE_NAMES) + 1
    assert f"{count} of {count} shown" in dom
    assert "Content Security Policy" not in done.stderr.decode()


def test_the_outputs_are_not_scanned(scan, tree):
    (tree / "a.php").write_bytes(MARKER)
    done = scan("--json", tree / "o.json", "--text", tree / "o.txt", tree)
    assert done.status == 1
    assert "scanned 1 files" in done.err and "2 outputs of this scan" in done.err
    with open(tree / "out", "wb") as out:
        subprocess.run([BINARY, "scan", "--json", "-", tree / "out"], stdout=out, stderr=subprocess.PIPE, timeout=60)
    assert (tree / "out").read_bytes() == b""


# ---- selection


def test_globs(scan, tree):
    for name in ("a.php", "b.txt", "skip/c.php", "keep/d.php", "keep/deep/e.php"):
        (tree / name).parent.mkdir(exist_ok=True, parents=True)
        (tree / name).write_bytes(MARKER)
    names = lambda *a: {os.path.relpath(p, tree) for p in paths(scan("--json", "-", *a, tree).json())}  # noqa: E731
    assert names("--exclude", "skip", "--exclude", "*.txt") == {"a.php", "keep/d.php", "keep/deep/e.php"}
    assert names("--include", "*.php", "--exclude", f"{tree}/keep/**") == {"a.php", "skip/c.php"}
    assert names("--include", "keep/*.php") == {"keep/d.php"}


def test_age(scan, tree):
    for name, days in (("new", 1), ("old", 10)):
        (tree / name).write_bytes(MARKER)
        moment = time.time() - days * 86400
        os.utime(tree / name, (moment, moment))
    done = scan("--json", "-", "--max-age", "5", tree)
    assert paths(done.json()) == {str(tree / "new")}
    assert "1 too old" in done.err


def test_a_file_over_the_limit_is_listed_and_never_clean(scan, tree):
    (tree / "a").write_bytes(MARKER + b"x" * 2000)
    done = scan("--json", "-", "--max-size", "1K", tree)
    assert done.status == 2
    assert issues(done.json()) == {("limit", str(tree / "a"))}
    assert "1 too large" in done.err


def test_the_configuration_file_counts(scan, tree):
    (tree.parent / "squall.yml").write_text("max-file-size: 1K\nnotice: 90\nwarning: 91\nalert: 92\nserver-port: 9\n")
    (tree / "small").write_bytes(MARKER)
    (tree / "large").write_bytes(b"x" * 2000)
    done = scan("--json", "-", "-t", tree.parent / "squall.yml", tree)
    assert done.status == 2
    assert issues(done.json()) == {("limit", str(tree / "large"))}


# ---- what a file system can hold


def test_links_loops_and_special_files(scan, tree):
    (tree / "sub").mkdir()
    (tree / "sub" / "a").write_bytes(MARKER)
    (tree / "loop").symlink_to(".")
    (tree / "sub" / "up").symlink_to("..")
    (tree / "link").symlink_to("sub/a")
    (tree / "dangling").symlink_to("nowhere")
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "socket"))
        done = scan("--json", "-", tree)
        assert done.status == 1
        assert paths(done.json()) == {str(tree / "sub" / "a")}
        assert "4 symbolic links" in done.err and "2 pipes, sockets and devices" in done.err
        done = scan("--json", "-", "--follow-symlinks", tree)
    assert paths(done.json()) == {str(tree / "sub" / "a"), str(tree / "link")}
    assert "2 directories reached again" in done.err


def test_links_that_multiply_are_entered_once(scan, tree):
    # Without care this is 2^30 ways to one file.
    for level in range(30):
        (tree / f"{level}").mkdir()
        for name in ("x", "y"):
            (tree / f"{level}" / name).symlink_to(f"../{level + 1}")
    (tree / "30").mkdir()
    (tree / "30" / "a").write_bytes(MARKER)
    done = scan("--json", "-", "--follow-symlinks", tree / "0")
    assert len(done.json()) == 1


def test_pseudo_file_systems(scan, tree):
    done = scan("/proc")
    assert done.status == 2 and "pseudo file system" in done.out.decode()
    # What is reached through them is real.
    (tree / "a").write_bytes(MARKER)
    assert scan(f"/proc/self/root{tree}/a").status == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="devices and mounts need root")
def test_the_root_of_the_machine_passes_over_views_of_the_kernel(scan):
    done = scan("--one-file-system", "--include", "no-file-has-this-name", "/")
    assert "pseudo file systems" in done.err, done.err
    assert done.status in (0, 2)


def test_what_may_not_be_read_is_listed(command, own_rules, tree):
    (tree / "open").write_bytes(CLEAN)
    (tree / "closed").write_bytes(MARKER)
    (tree / "closed").chmod(0)
    (tree / "folder").mkdir()
    (tree / "folder" / "a").write_bytes(MARKER)
    (tree / "folder").chmod(0)
    arguments = command("--json", "-", tree)
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("no setpriv to drop privileges with")
        binary = tree.parent / "squall"
        shutil.copy(BINARY, binary)
        shutil.copytree(own_rules, tree.parent / "rules")
        for folder in [tree.parent / "rules", tree, *tree.parents[:-1]]:
            if folder.stat().st_mode & 0o005 != 0o005:
                folder.chmod(folder.stat().st_mode | 0o005)
        arguments = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary, "scan",
                     "--signatures", tree.parent / "rules", "--json", "-", tree]  # fmt: skip
    done = Run(subprocess.run(arguments, capture_output=True, timeout=60))
    (tree / "folder").chmod(0o700)
    assert done.status == 2, done.err
    assert issues(done.json()) == {("unreadable", str(tree / "closed")), ("unreadable", str(tree / "folder"))}, done.err
    assert "2 could not be read" in done.err


def test_files_that_change_meanwhile_do_no_harm(command, tree):
    for number in range(40):
        (tree / f"{number}").write_bytes(SLUGGISH + b"x" * 100_000)
    child = subprocess.Popen(command("--json", "-", tree), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    end = time.monotonic() + 1.5
    while time.monotonic() < end and child.poll() is None:
        for number in range(40):
            path = tree / f"{number}"
            match number % 5:
                case 0:
                    path.write_bytes(b"")
                case 1:
                    path.unlink(missing_ok=True)
                case 2 if path.is_file():
                    path.unlink()
                    path.mkdir()
                case 3 if not path.is_symlink():
                    path.unlink()
                    path.symlink_to("/etc/passwd")
                case 4:
                    with path.open("ab") as file:
                        file.write(b"y" * 200_000)
    out, err = child.communicate(timeout=90)
    assert child.returncode in (0, 1), err.decode()
    assert b"panic" not in err
    assert not any("/etc/passwd" in line for line in out.decode().splitlines())


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
