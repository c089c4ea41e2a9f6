"""What is secret in the configuration is in no answer and in no line of the log, nor are bytes of samples."""

import gzip
import subprocess

from support.places import BINARY
from support.rules import MARKER
from support.service import wait_until

SECRET = "hunter2-k3Y"
SOURCE = f"https://ana:{SECRET}@127.0.0.1:1/set.zip?key={SECRET}"


def test_no_answer_and_no_log_line_has_a_secret(start, tmp_path):
    template = tmp_path / "squall.yml"
    template.write_text(f"archive-password: file-{SECRET}\n")
    service = start(
        "-t", str(template), "--archive-password", f"flag-{SECRET}", f"--archive-password={SECRET}",
        "--signature-sources", SOURCE, "--signature-update-interval", "1",
        env={"SQUALL_ARCHIVE_PASSWORD": f"env-{SECRET}"})
    # The source cannot be reached, which is told, with its address.
    failed = wait_until(
        lambda: (change := service.json("/api/v1/signatures").get("last_change")) and change["outcome"] == "failed" and change,
        30, "the update to fail")
    assert "https://(hidden)@127.0.0.1:1/set.zip" in failed["error"]
    paths = [path for path, methods in service.json("/openapi.json")["paths"].items() if "get" in methods]
    assert {"/api/v1/info", "/api/v1/configuration", "/api/v1/log", "/api/info"} <= set(paths)
    for path in [*paths, "/", "/docs/"]:
        if path == "/api/v1/events":
            continue
        assert SECRET not in service.get(path.replace("{", "").replace("}", "")).text, path
    arguments = service.json("/api/v1/info")["arguments"]
    assert arguments.count("--archive-password=(hidden)") == 2 and arguments[0] == "serve"
    assert f"--template={template}" in arguments
    assert SECRET not in service.output()


def test_check_config_leaves_secrets_out_unless_asked():
    def shown(*arguments):
        command = [BINARY, "check-config", "--archive-password", SECRET, "--signature-sources", SOURCE, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    hidden = shown()
    assert SECRET not in hidden and "# archive-password: (hidden)" in hidden
    assert shown("--show-secrets").count(SECRET) == 3


def test_no_log_has_bytes_of_a_sample(start, tmp_path):
    inside = b"only-in-the-sample-7f3a"
    logs = tmp_path / "logs"
    logs.mkdir()
    service = start(
        "--log-level", "trace", "--logfile", logs / "squall.log", "--jsonfile", logs / "squall.json", "--max-file-size", "6MB",
    )  # fmt: skip
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    cut = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + inside
    for content in (inside, b"#!/bin/sh\necho " + inside, inside + b"x" * 5_000_000, gzip.compress(inside), gzip.compress(inside)[:-9]):
        assert all(finding["message"] == "File not scanned completely" for finding in service.check(content))
        service.result(service.enqueue(content))
    # What is refused, in whole and in part.
    answers = [
        service.post("/api/check", files={"file": ("a", inside + b"x" * 7_000_000)}),
        service.post("/api/check", data=cut, headers=form),
        service.post("/api/check", data=inside, headers=form),
        service.post("/api/v1/check", data=inside),
    ]
    assert {answer.status_code for answer in answers} <= {400, 413, 415}
    assert not [answer.text for answer in answers if inside.decode() in answer.text]
    # There is something to be found, where something was.
    assert len(service.check(MARKER)) == 1
    told = service.get("/api/v1/log").content
    service.stop()
    kept = [path for path in service.data.rglob("*") if path.is_file() and "queue" not in path.parts]
    written = [service.output_file, *logs.iterdir(), *kept]
    texts = {path: path.read_bytes() for path in written} | {"/api/v1/log": told}
    assert MARKER in texts[logs / "squall.log"] and b"TRACE" in texts[service.output_file]
    # As it is, and as programs show bytes.
    shown = [inside, inside.hex().encode(), ", ".join(map(str, inside)).encode(), " ".join(map(str, inside)).encode()]
    found = [(path, text) for path, content in texts.items() for text in shown if text in content.replace(b"\n", b" ")]
    assert not found
