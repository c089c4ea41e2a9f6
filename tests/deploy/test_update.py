"""`squall-update` on a machine with a real systemd."""

import hashlib
import re
import time

import pytest
from harness.delivery import INSTALLER, assert_all_found, deliver, queue_samples, use_queue_rule
from support.authority import Authority
from support.rules import EICAR

UPDATE = "/usr/local/sbin/squall-update"
PROGRAM = "/usr/local/bin/squall"
# Tells systemd that it has started and answers everything, but says that no samples can be sent.
NEVER_READY = r"""
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);
$SIG{PIPE} = 'IGNORE';
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 8080, Listen => 16, ReuseAddr => 1) or die;
my $systemd = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $ENV{NOTIFY_SOCKET}) or die;
$systemd->send("READY=1");
while (1) {
    my $client = $listener->accept or next;
    my $head = <$client>;
    while (defined(my $line = <$client>)) { last if $line eq "\r\n" }
    my ($status, $body) = $head =~ m{^GET /readyz }
        ? ('503 Service Unavailable', '{"ready":false,"checks":{"scan":{"ok":false,"reason":"never"}}}')
        : ('200 OK', '{"yara_version":"1","rules":1}');
    print $client "HTTP/1.1 $status\r\nContent-Length: ", length($body), "\r\nConnection: close\r\n\r\n$body";
}
"""


@pytest.fixture(scope="module")
def installed(machine):
    deliver(machine)
    machine.run(INSTALLER, "auto")
    use_queue_rule(machine)
    machine.run("systemctl", "restart", "squall")
    machine.wait_ready()
    return machine


def digest(machine, path: str) -> str:
    return hashlib.sha256(machine.path(path).read_bytes()).hexdigest()


def new_program(machine, name: str) -> str:
    """A program that works and is not the same: bytes behind its end do not matter."""
    content = machine.path("/root/squall/squall").read_bytes() + name.encode()
    path = machine.write(f"/root/{name}", content, mode=0o755)
    machine.write(f"{path}.sha256", f"{digest(machine, path)}  {name}\n")
    return path


def bad_program(machine, name: str, serve: str) -> str:
    """A program that passes every check but does not serve."""
    text = f"""#!/bin/sh
case $1 in
--version) echo squall {name} ;;
check-config) exec /root-squall "$@" ;;
serve) {serve} ;;
esac
"""
    machine.put(machine.path("/root/squall/squall"), "/root-squall")
    return machine.write(f"/root/{name}", text, mode=0o755)


def unfinished(machine) -> int:
    return machine.json("/api/status")["queued_async_requests"]


def test_full_keeps_what_is_queued(installed):
    new = new_program(installed, "next")
    old = digest(installed, PROGRAM)
    ids = installed.enqueue(queue_samples(40))
    said = installed.run(UPDATE, "full", new).stdout
    assert "ready: http://127.0.0.1:8080" in said and "updated" in said
    assert unfinished(installed) > 0, "the queue was empty before the update; nothing was shown"
    assert digest(installed, PROGRAM) == digest(installed, new) != old
    ids += installed.enqueue(queue_samples(3))
    assert_all_found(installed, ids)


def test_rollback_goes_back_and_keeps_what_is_queued(installed):
    before = digest(installed, "/usr/local/lib/squall/squall.previous")
    ids = installed.enqueue(queue_samples(10))
    installed.run(UPDATE, "rollback")
    assert digest(installed, PROGRAM) == before
    assert_all_found(installed, ids)


@pytest.mark.parametrize(
    ("name", "serve", "reason"),
    [
        ("ends", "exit 3", "ended before it was ready"),
        ("hangs", "exec sleep 1000", "not ready after 8 s"),
        ("ends-late", "sleep 1; exit 1", "ended before it was ready"),
        ("serves-and-is-never-ready", "exec perl /never-ready.pl", '"scan":{"ok":false'),
    ],
)
def test_a_program_that_does_not_get_ready_is_taken_back(installed, name, serve, reason):
    old = digest(installed, PROGRAM)
    bad = bad_program(installed, name, serve)
    installed.write("/never-ready.pl", NEVER_READY)
    ids = installed.enqueue(queue_samples(10))
    refused = installed.run(UPDATE, "--timeout", "8", "full", bad, "--sha256", digest(installed, bad), check=False)
    assert refused.returncode == 1
    assert reason in refused.stderr and "the one before is in service again" in refused.stderr
    assert digest(installed, PROGRAM) == old
    assert_all_found(installed, ids)


def test_refuses_without_touching_anything(installed):
    pid = installed.unit("MainPID")
    good = new_program(installed, "good")
    other = installed.write("/root/other", b"\x7fELF", mode=0o755)
    settings_unknown = installed.write(
        "/root/unknown", "#!/bin/sh\n[ $1 = --version ] && echo squall 9 && exit 0\nexit 1\n", mode=0o755
    )
    before = installed.contents("/usr/local")
    for arguments, reason in (
        (["full", good, "--sha256", "0" * 64], "checksum"),
        (["full", other], "no `/root/other.sha256`"),
        (["full", other, "--sha256", digest(installed, other)], "does not run"),
        (["full", settings_unknown, "--sha256", digest(installed, settings_unknown)], "not valid for squall 9"),
        (["full", "/root/none"], "no file"),
    ):
        refused = installed.run(UPDATE, *arguments, check=False)
        assert refused.returncode == 1 and reason in refused.stderr, (arguments, refused.both)
    for arguments in (["ful", good], ["full"], ["--timeout", "x", "full", good], ["full", good, good]):
        assert installed.run(UPDATE, *arguments, check=False).returncode == 2, arguments
    after = installed.contents("/usr/local")
    assert [path for path in before | after if before.get(path) != after.get(path)] == []
    assert installed.unit("MainPID") == pid


def test_a_program_that_cannot_be_asked_is_not_put_in_place(installed):
    """Where nothing can ask whether it is ready, that is said before anything is changed."""
    new = new_program(installed, "next")
    before = installed.contents("/usr/local")
    curl = installed.path("/usr/bin/curl")
    curl.rename(curl.with_name("curl.away"))
    try:
        for arguments in (["full", new], ["rollback"]):
            refused = installed.run(UPDATE, *arguments, check=False)
            assert refused.returncode == 1 and "curl or wget" in refused.stderr, refused.both
    finally:
        curl.with_name("curl.away").rename(curl)
    assert installed.contents("/usr/local") == before


def test_what_was_checked_is_what_is_installed(installed):
    """The file is another one by the time that its checksum is known."""
    new = new_program(installed, "changing")
    wanted = digest(installed, new)
    assert digest(installed, PROGRAM) != wanted
    other = new_program(installed, "other")
    swap = f'#!/bin/sh\n/usr/bin/sha256sum "$@"\ncp {other} {new}\n'
    fake = installed.path(installed.write("/usr/local/sbin/sha256sum", swap, mode=0o755))
    try:
        installed.run(UPDATE, "full", new)
    finally:
        fake.unlink()
    assert digest(installed, new) != wanted, "the file was not changed meanwhile: nothing was shown"
    assert digest(installed, PROGRAM) == wanted


def test_only_one_at_a_time(installed):
    hold = installed.run(
        "sh", "-c", f"flock /run/squall-update.lock {UPDATE} full /root/good", check=False
    )
    assert hold.returncode == 1 and "another squall-update is running" in hold.stderr


def test_ready_is_not_said_too_early(installed):
    installed.run("systemctl", "stop", "squall")
    began = time.monotonic()
    refused = installed.run(UPDATE, "--timeout", "3", "wait", check=False)
    assert refused.returncode == 1 and time.monotonic() - began >= 2
    installed.run("systemctl", "start", "squall")
    assert "ready" in installed.run(UPDATE, "wait").stdout


def test_indicators_without_a_rule_are_signatures_too(installed):
    settings = installed.path("/etc/squall/squall.yml")
    before = settings.read_text()
    installed.write("/etc/squall/lists/hash-iocs.txt", f"{hashlib.sha256(EICAR).hexdigest()};a test file\n")
    settings.write_text(re.sub("(?m)^custom-signatures: .*$", "signatures: /etc/squall/lists", before))
    installed.run("systemctl", "restart", "squall")
    assert "ready" in installed.run(UPDATE, "--timeout", "20", "wait").stdout
    assert installed.json("/api/info")["rules"] == 0
    assert installed.check(EICAR)[0]["matches"][0]["sigclass"] == "Hash IOC"
    settings.write_text(before)
    installed.run("systemctl", "restart", "squall")
    installed.run(UPDATE, "wait")


def test_who_answers_nobody_without_a_certificate_is_asked_by_systemd(installed, tmp_path):
    settings = installed.path("/etc/squall/squall.yml")
    before = settings.read_text()
    installed.write("/etc/squall/clients-ca.pem", Authority(tmp_path / "ca").cert.read_text())
    settings.write_text(before + "server-cert: auto\nclient-ca: /etc/squall/clients-ca.pem\nclient-auth: required\n")
    installed.run("systemctl", "restart", "squall")
    assert "ready: by its own account" in installed.run(UPDATE, "wait").stdout
    installed.run("systemctl", "stop", "squall")
    assert installed.run(UPDATE, "--timeout", "1", "wait", check=False).returncode == 1
    settings.write_text(before)
    installed.run("systemctl", "start", "squall")
    installed.run(UPDATE, "wait")
