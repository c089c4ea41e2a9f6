"""The committed bundle is what its sources make."""

import re
import subprocess

from conftest import CONSOLE


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_committed_bundle_is_current(packages):
    subprocess.run(["npm", "run", "build"], cwd=packages, check=True, stdin=subprocess.DEVNULL, timeout=170)
    built, committed = files(packages / "dist"), files(CONSOLE / "dist")
    assert sorted(built) == sorted(committed)
    for name, content in built.items():
        assert content == committed[name], f"{name} is out of date: npm ci && npm run build in {CONSOLE.name}, and commit dist/"


def test_the_bundle_writes_text_only():
    script = (CONSOLE / "dist" / "static" / "console.js").read_text("utf-8")
    for word in ("insertAdjacentHTML", "document.write", "eval(", "new Function", "outerHTML"):
        assert word not in script, word
    # Of our own sources: a library may read it.
    for path in (CONSOLE / "src").rglob("*.ts*"):
        text = path.read_text("utf-8")
        assert "innerHTML" not in text and "dangerouslySet" not in text, path


def test_the_bundle_loads_nothing_from_elsewhere():
    loaded = re.compile(r"""(?:(?:src|href|action)=["']|url\(["']?|@import ["']|import\(["'])(?:[a-z]+:)?//""")
    for path in (CONSOLE / "dist").rglob("*"):
        if path.suffix in (".html", ".css", ".js"):
            assert not loaded.search(path.read_text("utf-8")), path
