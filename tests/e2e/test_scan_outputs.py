"""The outputs of `squall scan`, read by real parsers."""

import base64
import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import html5lib
import pytest

from support.local_scan import paths
from support.places import BINARY
from support.rules import MARKER, SECOND

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


def test_csv_has_no_formulas_where_semicolons_separate(scan, tree):
    for name in ("x;=cmd.txt", 'y;"=cmd.txt', "z; @SUM(1).txt"):
        (tree / name).write_bytes(MARKER)
    _, outputs = all_outputs(scan, tree)
    text = outputs["csv"].decode()
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=";"):
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row), row
    # Commas separate in truth, and of a name nothing is lost.
    names = {row["path"].removeprefix(f"{tree}/") for row in csv.DictReader(io.StringIO(text, newline=""), strict=True)}
    assert names == {"x;'=cmd.txt", "y;'\"=cmd.txt", "z;' @SUM(1).txt"}


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


def test_a_signature_file_that_cannot_be_read_is_in_the_report(scan, tree):
    rules = tree.parent / "more-rules"
    rules.mkdir()
    (rules / "lost.yar").symlink_to("nowhere")
    (tree / "a.php").write_bytes(MARKER)
    done, outputs = all_outputs(scan, tree, "--custom-signatures", rules)
    assert done.status == 1
    for text in (done.err, outputs["html"].decode()):
        assert "signatures are missing: cannot read" in text and "lost.yar" in text
    assert "1 files could not be read" in outputs["html"].decode()


def test_the_outputs_are_not_scanned(scan, tree):
    (tree / "a.php").write_bytes(MARKER)
    done = scan("--json", tree / "o.json", "--text", tree / "o.txt", tree)
    assert done.status == 1
    assert "scanned 1 files" in done.err and "2 outputs of this scan" in done.err
    with open(tree / "out", "wb") as out:
        subprocess.run([BINARY, "scan", "--json", "-", tree / "out"], stdout=out, stderr=subprocess.PIPE, timeout=60)
    assert (tree / "out").read_bytes() == b""
