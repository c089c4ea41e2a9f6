"""`squall-update signatures` on a machine with a real systemd: no restart."""

import io
import zipfile

import pytest
from harness.delivery import INSTALLER, QUEUE_RULE, assert_all_found, deliver, queue_samples
from support.service import wait_until

UPDATE = "/usr/local/sbin/squall-update"


@pytest.fixture(scope="module")
def installed(machine):
    deliver(machine)
    machine.run(INSTALLER, "auto")
    return machine


def archive(**rules: str) -> bytes:
    """An archive of signatures as it is carried to a machine without a network."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, text in rules.items():
            packed.writestr(f"yara/{name}.yar", text)
    return content.getvalue()


def test_an_archive_is_in_force_without_a_restart(installed):
    [sample] = queue_samples(1)
    assert installed.check(sample) == []
    pid = installed.unit("MainPID")
    installed.write("/srv/new.zip", archive(queue=QUEUE_RULE))
    installed.run(UPDATE, "signatures", "--from", "/srv/new.zip")
    wait_until(lambda: installed.check(sample), 30, "the new rule is in force")
    assert installed.unit("MainPID") == pid
    assert_all_found(installed, installed.enqueue(queue_samples(3)))
    # Also after a restart.
    installed.run("systemctl", "restart", "squall")
    installed.run(UPDATE, "wait")
    assert installed.check(sample)


def test_what_cannot_be_used_changes_nothing(installed):
    [sample] = queue_samples(1)
    installed.write("/srv/bad.zip", b"PK\x03\x04 and no more")
    assert installed.run(UPDATE, "signatures", "--from", "/srv/bad.zip", check=False).returncode != 0
    installed.write("/srv/empty.zip", archive(none="rule {"))
    assert installed.run(UPDATE, "signatures", "--from", "/srv/empty.zip", check=False).returncode != 0
    hidden = installed.write("/root/hidden.zip", archive(queue=QUEUE_RULE), mode=0o600)
    refused = installed.run(UPDATE, "signatures", "--from", hidden, check=False)
    assert refused.returncode == 1 and "user squall cannot read" in refused.stderr
    refused = installed.run(UPDATE, check=False)
    assert refused.returncode != 0 and "signature-sources" in refused.stderr
    assert installed.check(sample)
