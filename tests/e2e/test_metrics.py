"""`/metrics` as Prometheus reads it: well formed, true, and without names from outside."""

import re
import time

import requests
from prometheus_client.parser import text_string_to_metric_families

from support.places import REPOSITORY
from support.rules import CLEAN, MARKER, RULE_COUNT, SLUGGISH, slow, write_rules
from support.service import wait_until

# The documentation lists these, and only these.
DOCUMENT = REPOSITORY / "docs" / "monitoring.md"


def families(service) -> dict:
    answer = service.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    parsed = list(text_string_to_metric_families(answer.text))
    names = [family.name for family in parsed]
    assert len(names) == len(set(names)), "a family is there twice"
    return {family.name: family for family in parsed}


def value(service, name: str, **labels) -> float:
    for family in families(service).values():
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return sample.value
    raise AssertionError(f"no {name} {labels}")


def test_prometheus_can_read_it(squall):
    squall.check(MARKER)
    found = families(squall)
    for family in found.values():
        assert family.documentation, f"{family.name} has no help"
        assert family.type in ("counter", "gauge", "histogram"), f"{family.name}: {family.type}"
        series = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
        assert len(series) == len(set(series)), f"{family.name} has a series twice"


def test_every_metric_is_documented_and_every_documented_one_is_there(start):
    # Some are there with a receiver only, or where samples are kept.
    squall = start("--syslog", "127.0.0.1:9:DEFAULT:UDP", "--otlp-endpoint", "http://127.0.0.1:9",
                   "--server-store-samples", "all")
    squall.check(CLEAN)
    names = set(families(squall))
    # A counter's family is named without `_total` by the parser.
    documented = set(re.findall(r"`((?:squall|process)_[a-z_]+)", DOCUMENT.read_text()))
    documented = {name.removesuffix("_total") for name in documented}
    assert documented == names


def test_counts_follow_what_happens(start):
    service = start("--max_file_size", "10K")
    for _ in range(3):
        service.check(CLEAN)
    service.result(service.enqueue(MARKER))
    assert service.post("/api/check", files={"file": ("a", b"x" * 20_000)}).status_code == 413
    assert service.get("/no/such/path").status_code == 404
    assert value(service, "squall_accepted_samples_total") == 4
    assert value(service, "squall_scanned_samples_total") == 4
    assert value(service, "squall_http_requests_total", endpoint="/api/check", status="200") == 3
    assert value(service, "squall_http_requests_total", endpoint="/api/check", status="413") == 1
    assert value(service, "squall_http_requests_total", endpoint="none", status="404") == 1
    assert value(service, "squall_scan_seconds_count") == 4
    assert value(service, "squall_wait_seconds_count", lane="queue") == 1
    assert value(service, "squall_sample_seconds_count", lane="checks") == 3
    assert value(service, "squall_findings_total", level="Warning") + value(service, "squall_findings_total", level="Alert") == 1
    assert value(service, "squall_rule_findings_total", rule="E2E_Marker") == 1
    assert value(service, "squall_rule_findings_total", rule="other") == 0
    assert value(service, "squall_received_bytes_total") >= len(CLEAN) * 3 + len(MARKER)
    assert value(service, "squall_waiting_samples", lane="queue") == 0
    assert value(service, "squall_signatures", kind="rules") == RULE_COUNT
    assert value(service, "squall_signatures_loaded") == value(service, "squall_storage_ok") == 1
    assert 0 < value(service, "squall_disk_free_bytes") < value(service, "squall_disk_bytes")
    wait_until(lambda: value(service, "squall_uploads") == 0, 5, "no upload in progress")


def test_times_are_counted_by_how_long_they_were(start):
    """A scan of about a second is above the ranges of the quick ones, and what waits behind it waited as long."""
    service = start("--threads", "1")
    service.check(CLEAN)
    first, second = service.enqueue(slow(1)), service.enqueue(slow(2))
    service.result(first)
    service.result(second)

    def within(name, bound, **labels):
        return value(service, f"{name}_bucket", le=bound, **labels)

    assert within("squall_scan_seconds", "0.1") == 1
    assert within("squall_scan_seconds", "+Inf") == value(service, "squall_scan_seconds_count") == 3
    assert within("squall_wait_seconds", "0.1", lane="queue") == 1
    assert within("squall_wait_seconds", "+Inf", lane="queue") == 2
    seconds = value(service, "squall_sample_seconds_sum", lane="queue")
    assert seconds > value(service, "squall_scan_seconds_sum") * 0.9
    bounds = [s for f in families(service).values() if f.name == "squall_scan_seconds" for s in f.samples if "le" in s.labels]
    counts = [sample.value for sample in bounds]
    assert counts == sorted(counts), "each range holds those below it"


def test_rules_beyond_the_bound_are_one_series(start, tmp_path):
    many = write_rules(tmp_path / "many", **{
        "many": "".join(f'rule Many_{n:03} {{ meta: score = 50 strings: $a = "many-{n:03}." condition: $a }}\n' for n in range(150))
    })  # fmt: skip
    service = start("--signatures", many, signatures=False)
    for number in range(150):
        service.check(b"many-%03d." % number)
    samples = families(service)["squall_rule_findings"].samples
    shown = {sample.labels["rule"]: sample.value for sample in samples}
    assert len(shown) == 101 and shown.pop("other") == 50
    assert set(shown.values()) == {1}


def test_the_process_is_told_as_the_system_sees_it(start):
    service = start("--threads", "1")
    before = value(service, "process_cpu_seconds_total")
    for number in range(5):
        service.check(SLUGGISH + b"%d" % number)
    assert 0.02 < value(service, "process_cpu_seconds_total") - before < 30
    resident = value(service, "process_resident_memory_bytes")
    assert 0 < resident <= service.memory_peak_bytes() * 1.01
    assert abs(value(service, "process_open_fds") - service.open_files()) < 10
    assert value(service, "process_max_fds") >= 256
    assert value(service, "process_threads") > 3
    assert abs(value(service, "process_start_time_seconds") - time.time()) < 120
    assert value(service, "squall_scan_threads") == 1 and value(service, "squall_scan_threads_stuck") == 0
    wait_until(lambda: value(service, "squall_ready") == 1, 10, "it is ready")


def test_totals_of_samples_survive_a_restart(start):
    service = start()
    for _ in range(3):
        service.check(CLEAN)
    service.stop()
    service.start()
    assert value(service, "squall_accepted_samples_total") == 3
    assert value(service, "squall_scanned_samples_total") == 3


def test_every_bound_has_a_limit_and_a_count_from_the_start(start):
    service = start("--allowed-samples-per-hour", "2")
    found = families(service)
    refused = {sample.labels["reason"] for sample in found["squall_refused_samples"].samples}
    limits = {sample.labels["reason"]: sample.value for sample in found["squall_limit"].samples}
    assert set(limits) < refused
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", DOCUMENT.read_text(), re.MULTILINE))
    assert refused <= documented
    assert limits["quota"] == 2
    assert limits["source_quota"] == float("inf")
    for _ in range(5):
        service.post("/api/check", files={"file": ("a", CLEAN)})
    assert value(service, "squall_refused_samples_total", reason="quota") == 3
    assert value(service, "squall_quota_waits_total") == 3
    assert value(service, "squall_refused_samples_total", reason="source_quota") == 0


def test_no_name_from_outside_is_in_it(squall):
    secret = "zq81-secret"
    squall.check(MARKER, f"/home/{secret}/x.php", source=f"{secret}-host")
    squall.get(f"/{secret}")
    squall.get(f"/api/v1/samples/{secret}/retry")
    requests.request(secret.upper(), f"{squall.url}/api/check", timeout=10)
    text = squall.get("/metrics").text
    assert secret not in text.lower()
    # The number of series does not grow with what clients make up.
    series = len(text.splitlines())
    for number in range(50):
        squall.get(f"/api/nothing/{number}")
        squall.post(f"/api/v1/samples/{900_000 + number}/retry")
    assert len(squall.get("/metrics").text.splitlines()) <= series + 3
