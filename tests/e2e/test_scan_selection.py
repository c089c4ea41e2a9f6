"""What `squall scan` selects of a tree, and what a hostile tree does to it."""

import os
import shutil
import socket
import subprocess
import time

import pytest

from support.local_scan import Run, issues, paths
from support.places import BINARY
from support.rules import CLEAN, MARKER, SLUGGISH


# ---- selection


def test_globs(scan, tree):
    for name in ("a.php", "b.txt", "skip/c.php", "keep/d.php", "keep/deep/e.php"):
        (tree / name).parent.mkdir(exist_ok=True, parents=True)
        (tree / name).write_bytes(MARKER)
    names = lambda *a: {os.path.relpath(p, tree) for p in paths(scan("--json", "-", *a, tree).json())}  # noqa: E731
    assert names("--exclude", "skip", "--exclude", "*.txt") == {"a.php", "keep/d.php", "keep/deep/e.php"}
    assert names("--include", "*.php", "--exclude", f"{tree}/keep/**") == {"a.php", "skip/c.php"}
    assert names("--include", "keep/*.php") == {"keep/d.php"}


def test_paths_with_dots_are_those_that_globs_and_signatures_know(scan, tree, tmp_path):
    for name in ("a.php", "b.php"):
        (tree / name).write_bytes(MARKER)
    (tree / "c.txt").write_bytes(CLEAN)
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "dots-filename-iocs.txt").write_text(f"^{tree}/c\\.txt$;80\n")
    found = lambda *a, cwd=tree: paths(scan("--json", "-", *a, cwd=cwd).json())  # noqa: E731
    both = {f"{tree}/a.php", f"{tree}/b.php"}
    assert found("../tree") == found("..", "--include", "tree/*") == both
    assert found("../tree", "--include", f"{tree}/a.*") == {f"{tree}/a.php"}
    assert found("../tree", "--exclude", f"{tree}/a.php") == {f"{tree}/b.php"}
    for root in ("../tree", tree):
        assert found("--signatures", lists, root) == both | {f"{tree}/c.txt"}
    # What is above a link is above what it leads to; the link itself keeps its name.
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "link").symlink_to(tree)
    assert found("away/link/../tree", cwd=tmp_path) == both
    assert found("../away/link", "--exclude", "b.php") == {f"{tmp_path}/away/link/a.php"}


def test_globs_with_dots_begin_at_the_current_directory(scan, tree):
    folder = tree / "a[b]{c,d}*\\e"
    for name in ("x.php", "deep/x.php"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(MARKER)
    found = lambda *a: {os.path.relpath(p, folder) for p in paths(scan("--json", "-", *a, ".", cwd=folder).json())}  # noqa: E731
    assert found("--exclude", "./x.php") == {"deep/x.php"}
    assert found("--include", "./*.php") == {"x.php"}
    assert found("--exclude", f"../{folder.name[0]}*/deep") == {"x.php"}
    assert found("--exclude", "deep//x.php") == {"x.php"}
    done = scan("--include", f"{folder}/../*", ".", cwd=folder)
    assert done.status == 2 and "`..`" in done.err and done.out == b""
    for option in ("--include", "--exclude"):
        done = scan(option, "", ".", cwd=folder)
        assert done.status == 2 and "empty" in done.err and done.out == b""


def test_a_selection_that_leaves_nothing_is_told_of(scan, tree):
    (tree / "a.php").write_bytes(MARKER)
    done = scan("--include", "*.exe", "--html", tree.parent / "o.html", tree)
    assert done.status == 0
    for text in (done.err, (tree.parent / "o.html").read_text()):
        assert "no file was scanned: --include, --exclude and --max-age left out 1 files" in text


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
