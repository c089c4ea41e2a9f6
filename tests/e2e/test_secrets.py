"""What is secret in the configuration is in no answer and in no line of the log."""

import subprocess

from support.places import BINARY
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
