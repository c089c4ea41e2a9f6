"""What is delivered: the program, `deploy` and `config/squall.yml`, as a machine gets them."""

import ctypes
import re

from harness.machine import Machine
from support.places import BINARY, REPOSITORY

DEPLOY = REPOSITORY / "deploy"
INSTALLER = "/root/squall/deploy/install.sh"
FILES = ("/etc", "/usr/local", "/var/lib/squall", "/var/log/squall")

# Each sample keeps a scan thread busy for some hundred milliseconds, so
# that there is a queue to look at.
QUEUE_RULE = r"""
rule Deploy_Queue {
    meta:
        description = "A sample of the tests of deployment"
        score = 70
    strings:
        $mark = "squall-deploy-queue"
    condition:
        $mark and for all i in (0..10000000) : (uint8(i % filesize) != 300)
}
"""


def deliver(machine: Machine) -> None:
    """Copies a release onto a machine, as an archive of one would be unpacked."""
    machine.put(DEPLOY, "/root/squall/deploy")
    machine.put(REPOSITORY / "config" / "squall.yml", "/root/squall/config/squall.yml")
    machine.put(BINARY, "/root/squall/squall")


def queue_samples(count: int) -> list[bytes]:
    """Samples that the rule of the queue finds, no two alike."""
    return [f"squall-deploy-queue {number}\n".encode() for number in range(count)]


def use_queue_rule(machine: Machine) -> None:
    """Adds the rule to an installed service, and one scan thread only; takes effect at the next start."""
    machine.write("/etc/squall/custom-signatures/yara/queue.yar", QUEUE_RULE)
    settings = machine.path("/etc/squall/squall.yml")
    settings.write_text(settings.read_text() + "threads: 1\ncustom-signatures: [/etc/squall/custom-signatures]\n")


def assert_all_found(machine: Machine, ids: list[int], **options) -> None:
    """Fails unless every queued sample ends with its finding."""
    for sample, answer in machine.results(ids, **options).items():
        assert answer["status"] == "Sample analysis complete", (sample, answer)
        rules = [match["rulename"] for finding in answer["result"] for match in finding["matches"]]
        assert rules == ["Deploy_Queue"], (sample, answer)


def _kernel_has_landlock() -> bool:
    """Asks the kernel for its version of Landlock, as `landlock_create_ruleset` does; the service needs the second."""
    version = ctypes.CDLL(None).syscall(444, ctypes.c_void_p(None), ctypes.c_size_t(0), ctypes.c_uint(1))
    return version >= 2


def assert_locked_in(machine: Machine) -> None:
    """Fails unless the service could take rights from itself below what the unit takes from it."""
    said = re.findall(r"serve: sandbox: (.*)", machine.journal())
    assert said, machine.journal()
    if _kernel_has_landlock():
        assert said[-1] == "Landlock in force, seccomp in force"
    else:
        assert said[-1].endswith(", seccomp in force")
