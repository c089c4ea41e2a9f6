"""Signals and requests that come while the service is still starting."""

import random
import signal
import time

import pytest

from support.places import SIGNATURE_BASE, needs_signature_base, rounds
from support.raw import connect
from support.rules import MARKER
from support.service import Service, wait_until


def listening(service) -> bool:
    """Tells whether a connection is taken."""
    try:
        connect(service, timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def spawn_listening(root, *args) -> Service:
    """Starts a service and returns as soon as it takes connections, ready or not."""
    service = Service(root, *map(str, args)).spawn()
    wait_until(lambda: listening(service), 30, "a listener", pause=0.001)
    return service


def test_sigterm_at_any_moment_after_it_listens(tmp_path, rules):
    """No moment is left in which the signal is lost or kills the process with its work undone."""
    chance = random.Random(3)
    for turn in range(rounds(20, 300)):
        service = spawn_listening(tmp_path / str(turn), "--signatures", rules)
        try:
            time.sleep(chance.uniform(0, 0.03))
            service.stop()
        finally:
            service.kill()


def test_sighup_at_any_moment_after_it_listens(tmp_path, rules):
    """A log rotation during the start does not end the service."""
    for turn in range(rounds(5, 50)):
        service = spawn_listening(tmp_path / str(turn), "--signatures", rules)
        try:
            service.signal(signal.SIGHUP)
            time.sleep(0.2)
            service.stop()
        finally:
            service.kill()


@needs_signature_base
def test_sigterm_while_many_rules_compile(tmp_path):
    service = spawn_listening(tmp_path / "squall", "--signatures", SIGNATURE_BASE)
    try:
        time.sleep(0.3)
        assert service.stop() < 15
    finally:
        service.kill()


@needs_signature_base
@pytest.mark.parametrize("endpoint", ["check", "checkAsync"])
def test_samples_are_refused_or_kept_while_rules_compile(tmp_path, endpoint):
    """503 with `Retry-After`, or an id; never a result from rules that are not there."""
    service = spawn_listening(tmp_path / "squall", "--signatures", SIGNATURE_BASE)
    try:
        answer = service.post(f"/api/{endpoint}", files={"file": ("/tmp/a", MARKER)})
        if answer.status_code == 200:
            assert endpoint == "checkAsync" or service.json("/api/info")["rules"] > 0
        else:
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) >= 1
        wait_until(lambda: service.json("/api/info")["rules"] > 0, 60, "loaded rules")
        assert service.post(f"/api/{endpoint}", files={"file": ("/tmp/a", MARKER)}).status_code == 200
        service.stop()
    finally:
        service.kill()
