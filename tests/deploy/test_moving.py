"""What `docs/operations.md` tells to do with the data, done as it says."""

import re

import pytest
from harness.delivery import INSTALLER, assert_all_found, deliver, queue_samples, use_queue_rule
from support.places import REPOSITORY
from support.rules import EICAR

DOCUMENT = REPOSITORY / "docs" / "operations.md"


def commands(heading: str) -> str:
    """The shell commands below a heading of the document, without `sudo`: the tests are root."""
    text = DOCUMENT.read_text()
    section = text[text.index(f"\n### {heading}\n") :]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL).group(1)
    return block.replace("sudo ", "")


@pytest.fixture
def installed(new_machine):
    machine = new_machine()
    deliver(machine)
    machine.boot()
    machine.run(INSTALLER, "auto")
    use_queue_rule(machine)
    machine.run("systemctl", "restart", "squall")
    machine.wait_ready()
    return machine


def test_a_backup_is_restored_on_another_machine(installed, new_machine):
    done = installed.enqueue([EICAR])
    first = installed.results(done)
    waiting = installed.enqueue(queue_samples(20))
    installed.run("sh", "-ec", commands("Backup"))
    # The old one is not needed any more, and its work must not be done twice.
    scanned = installed.json("/api/status")["scanned_samples"]
    installed.run("systemctl", "stop", "squall")

    other = new_machine()
    deliver(other)
    other.boot()
    # Users have other numbers there.
    other.run("useradd", "--system", "somebody")
    other.run("useradd", "--system", "somebody-else")
    other.run(INSTALLER, "auto")
    assert other.run("id", "-u", "squall").stdout != installed.run("id", "-u", "squall").stdout
    other.put(installed.path("/root/squall-backup.tar.gz"), "/root/squall-backup.tar.gz")
    other.run("sh", "-ec", commands("Restore, here or on another machine"))
    other.wait_ready()
    assert other.results(done) == first
    assert other.json("/api/status")["queued_async_requests"] > 0, "the queue was empty: nothing was shown"
    assert_all_found(other, waiting)
    assert other.json("/api/status")["scanned_samples"] == 1 + len(waiting) >= scanned
    assert "SQUALL_Test_EICAR" in other.path("/var/log/squall/squall.log").read_text()
    assert other.owner("/var/lib/squall/queue").endswith("squall squall")
    # Numbers go on where they were.
    assert other.enqueue(queue_samples(1))[0] > max(waiting)


def test_the_data_is_moved_to_another_disk(installed):
    done = installed.enqueue([EICAR])
    first = installed.results(done)
    waiting = installed.enqueue(queue_samples(20))
    installed.run("mkdir", "/srv/big")
    installed.run("mount", "-t", "tmpfs", "tmpfs", "/srv/big")
    installed.run("sh", "-ec", commands("Moving the data to another disk"))
    installed.wait_ready()
    assert installed.exists("/srv/big") and not installed.path("/var/lib/squall/queue").exists()
    assert "data        /srv/big/squall" in installed.journal()
    assert installed.results(done) == first
    assert_all_found(installed, waiting)
