"""What is built in besides the rules: disguised programs, and what a Windows program says of itself."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from support.shapes import check_v0, check_v3


@pytest.fixture(scope="module")
def program():
    """A Windows program that every Python environment has: the launcher that pip writes scripts with."""
    pip = pytest.importorskip("pip")
    launchers = sorted(Path(pip.__file__).parent.glob("_vendor/distlib/t*.exe"))
    if not launchers:
        pytest.skip("pip brings no launchers here")
    return launchers[0].read_bytes()


def archive(*members):
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as target:
        for name, content in members:
            target.writestr(name, content)
    return written.getvalue()


def test_a_program_called_a_document(squall, program):
    name = "C:\\Users\\x\\report.pdf"
    [finding] = squall.check(program, name)
    check_v0(finding, program, name)
    assert finding["level"] == "Warning"
    [match] = finding["matches"]
    assert match["rulename"] == "Heuristic_Executable_Disguised"
    assert match["sigclass"] == "Internal Heuristic"
    assert match["subscore"] == 70
    assert squall.check(program, "C:\\Users\\x\\tool.exe") == []


def test_a_windows_program_brings_its_facts(squall, program):
    [finding] = squall.check(program, "/tmp/report.pdf", generation="/api/v1")
    check_v3(finding, program, "/tmp/report.pdf")
    facts = finding["subject"]["pe_info"]
    assert set(facts) == {
        "company", "description", "legal_copyright", "product", "original_name", "internal_name",
        "signed", "signatures", "imphash", "rich_header_hash", "creation_timestamp",
    }
    assert len(facts["imphash"]) == 32
    assert facts["signed"] is False and facts["signatures"] is None
    assert facts["creation_timestamp"].endswith("Z")


def test_a_program_alone_in_an_archive(squall, program):
    alone = archive(("Invoice 4711.exe", program))
    [finding] = squall.check(alone, "/tmp/mail.zip")
    assert finding["context"]["file"] == "/tmp/mail.zip|Invoice 4711.exe"
    assert [match["rulename"] for match in finding["matches"]] == ["Heuristic_Single_Executable_In_Archive"]
    assert squall.check(archive(("Invoice 4711.exe", program), ("readme.txt", b"read me")), "/tmp/a.zip") == []


def test_rules_only_asks_no_heuristics(start, program):
    assert start("--pure-yara").check(program, "/tmp/report.pdf") == []
