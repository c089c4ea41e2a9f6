"""Traces of samples, sent to a receiver that reads them with OpenTelemetry's own library."""

import base64
import http.server
import socketserver
import threading
import time

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from support.rules import CLEAN, MARKER, SECOND, slow
from support.service import StartError, free_port, wait_until
from test_metrics import value

SECRET = "s3cret-of-the-traces"


class Collector:
    """Takes spans, or answers with another status."""

    def __init__(self, port=0):
        self.spans, self.resources, self.headers, self.paths = [], [], [], []
        self.raw = b""
        self.status = 200
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if collector.status == 200:
                    collector.take(body, self)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, body, request):
        message = ExportTraceServiceRequest.FromString(body)
        self.raw += body
        self.headers.append({name.title(): text for name, text in request.headers.items()})
        self.paths.append(request.path)
        for resource in message.resource_spans:
            self.resources.append({item.key: item.value.string_value for item in resource.resource.attributes})
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def of(self, name):
        """The spans of that name, in the order in which they ended."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.end_time_unix_nano)

    def trace(self, count, timeout=20):
        """The spans of the only trace, by name, once there are so many."""
        wait_until(lambda: len(self.spans) >= count, timeout, f"{count} spans, got {[span.name for span in self.spans]}")
        assert len({span.trace_id for span in self.spans}) == 1
        return {span.name: span for span in self.spans}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Receiver:
    """Takes findings: by syslog, datagrams or lines over TCP, or as a webhook that answers with given statuses."""

    def __init__(self, form, port=0):
        self.taken, self.statuses = [], []
        receiver = self

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self):
                receiver.taken.append(self.request[0])

        class Lines(socketserver.StreamRequestHandler):
            def handle(self):
                receiver.taken.extend(self.rfile)

        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                if status == 200:
                    receiver.taken.append(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        make, handler = {
            "syslog": (socketserver.ThreadingUDPServer, Datagram),
            "syslog-tcp": (socketserver.ThreadingTCPServer, Lines),
            "webhook": (http.server.ThreadingHTTPServer, Hook),
        }[form]
        self.server = make(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        port = self.server.server_address[1]
        if form == "webhook":
            self.name = f"http://127.0.0.1:{port}"
            self.options = ("--webhook", f"http://user:{SECRET}@127.0.0.1:{port}/{SECRET}?key={SECRET}")
        else:
            protocol = "UDP" if form == "syslog" else "TCP"
            self.name = f"127.0.0.1:{port}:JSON:{protocol}"
            self.options = ("--syslog", self.name)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    collector.close()


def facts(span):
    """The attributes of a span as Python has them."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in span.attributes}


def seconds(nanoseconds):
    return nanoseconds / 1e9


def test_a_check_is_one_trace_from_the_upload_to_the_log(start, collector):
    service = start("--otlp-endpoint", collector.url, "--otlp-header", f"Authorization=Bearer {SECRET}")
    before = time.time()
    answer = service.post("/api/v1/check", files={"file": ("/srv/evil.php", MARKER)}, params={"source": "web-01"})
    finding = answer.json()[0]
    after = time.time()
    spans = collector.trace(4)
    assert set(spans) == {"upload", "queue", "scan", "log"} and len(collector.spans) == 4

    root = spans["upload"]
    assert root.parent_span_id == b"" and root.kind == Span.SPAN_KIND_SERVER
    for name in ("queue", "scan", "log"):
        assert spans[name].parent_span_id == root.span_id, name
        assert root.start_time_unix_nano <= spans[name].start_time_unix_nano <= spans[name].end_time_unix_nano
        # The answer of a check comes after all of it.
        assert spans[name].end_time_unix_nano <= root.end_time_unix_nano, name
    assert before <= seconds(root.start_time_unix_nano) <= seconds(root.end_time_unix_nano) <= after
    assert len({span.span_id for span in collector.spans}) == 4

    # Who has a finding has its trace.
    nonce = finding["meta"]["event_id"].rpartition("-")[0]
    assert root.trace_id.startswith(base64.urlsafe_b64decode(nonce))
    assert facts(root)["http.route"] == "/api/check" and facts(root)["client.address"] == "127.0.0.1"
    scan = facts(spans["scan"])
    assert scan["file.path"] == "/srv/evil.php" and scan["file.size"] == len(MARKER) and scan["squall.source"] == "web-01"
    assert scan["squall.score"] == 80 and scan["squall.level"] == "Warning" and scan["squall.findings"] == 1
    assert scan["squall.cached"] is False and scan["squall.incomplete"] == 0
    assert facts(root)["squall.sample.id"] == scan["squall.sample.id"] == facts(spans["log"])["squall.sample.id"]

    assert collector.paths[0] == "/v1/traces" and collector.headers[0]["Authorization"] == f"Bearer {SECRET}"
    resource = collector.resources[0]
    assert resource["service.name"] == "squall" and resource["service.version"] and resource["service.instance.id"]
    # Neither bytes of samples nor secrets.
    assert MARKER not in collector.raw
    assert SECRET not in service.output() and SECRET not in service.get("/api/v1/configuration").text
    assert SECRET not in service.get("/api/v1/info").text
    wait_until(lambda: value(service, "squall_trace_spans_total", outcome="sent") == 4, 10, "the spans counted")


def test_a_queued_sample_is_answered_before_it_is_scanned(start, collector):
    service = start("--otlp-endpoint", f"{collector.url}/other/path", "--server-store-samples", "all")
    sample = service.enqueue(slow(1))
    service.result(sample)
    spans = collector.trace(5)
    assert set(spans) == {"upload", "queue", "scan", "log", "keep"}
    assert spans["upload"].end_time_unix_nano <= spans["scan"].end_time_unix_nano
    assert spans["scan"].start_time_unix_nano >= spans["queue"].end_time_unix_nano
    assert spans["keep"].start_time_unix_nano >= spans["log"].end_time_unix_nano
    assert facts(spans["upload"])["squall.sample.id"] == sample
    assert collector.paths[0] == "/other/path"
    # The second time nothing is scanned.
    collector.spans.clear()
    service.result(service.enqueue(slow(1)))
    assert facts(collector.trace(5)["scan"])["squall.cached"] is True


def test_a_trace_goes_on_after_a_restart(start, collector):
    options = ("--otlp-endpoint", collector.url, "--threads", "1")
    service = start(*options)
    # Spans are sent about once a second: the sample waits for longer than that.
    held = [service.enqueue(slow(number)) for number in range(70, 75)]
    sample = service.enqueue(MARKER)
    wait_until(lambda: sum(span.name == "upload" for span in collector.spans) == 6, 20, "all uploads")
    root = next(span for span in collector.spans if facts(span)["squall.sample.id"] == sample)
    service.kill()
    scanned = [facts(span)["squall.sample.id"] for span in collector.spans if span.name == "scan"]
    assert sample not in scanned
    service.start()
    for waiting in (*held, sample):
        service.result(waiting)

    def of_sample():
        return {span.name: span for span in collector.spans if facts(span).get("squall.sample.id") == sample}

    wait_until(lambda: len(of_sample()) == 4, 20, "the rest of the trace")
    assert {span.trace_id for span in of_sample().values()} == {root.trace_id}
    assert of_sample()["scan"].parent_span_id == root.span_id


def test_a_sample_that_cannot_be_scanned_ends_its_trace_with_an_error(start, collector):
    service = start("--otlp-endpoint", collector.url, "--threads", "1", "--verdict-cache-size", "0")
    service.enqueue(slow(11))
    # Large enough for a file of its own.
    sample = service.enqueue(bytes(1 << 20), "/srv/spoilt.bin")
    file = service.data / "queue" / "spool" / "files" / f"{sample:016x}"
    wait_until(file.exists, 5, "the sample's file")
    # Not what is said of it, which is in the same file.
    with file.open("r+b") as content:
        content.seek(5000)
        content.write(b"x" * 1000)
    assert service.result(sample)["status"] == "Sample analysis failed"

    def of_sample():
        return {span.name: span for span in collector.spans if facts(span).get("squall.sample.id") == sample}

    wait_until(lambda: "scan" in of_sample(), 20, "the end of the trace")
    time.sleep(1.5)
    spans = of_sample()
    assert set(spans) == {"upload", "queue", "scan"}
    status = spans["scan"].status
    assert status.code == Status.STATUS_CODE_ERROR and "the stored sample cannot be read" in status.message
    assert facts(spans["scan"])["file.path"] == "/srv/spoilt.bin"
    assert "squall.score" not in facts(spans["scan"])
    assert spans["scan"].parent_span_id == spans["upload"].span_id
    assert all(spans[name].status.code == Status.STATUS_CODE_UNSET for name in ("upload", "queue"))
    # Once: what was tried before is no end.
    assert [facts(span)["squall.sample.id"] for span in collector.of("scan")].count(sample) == 1


def test_a_sample_that_ends_the_process_ends_its_trace_with_an_error(start, collector):
    service = start("--otlp-endpoint", collector.url, "--threads", "1", "--verdict-cache-size", "0")

    def is_scanning():
        try:
            return value(service, "squall_scanning_samples", lane="queue") == 1
        except requests.RequestException:
            return False

    held = service.enqueue(slow(12))
    sample = service.enqueue(slow(13), "/srv/deadly.bin")
    root = wait_until(lambda: len(collector.of("upload")) == 2 and collector.of("upload")[1], 20, "the upload")
    service.result(held)
    for last in (False, True):
        wait_until(is_scanning, 60, "it is being scanned")
        service.kill()
        service.start() if last else service.spawn()
    assert service.result(sample)["status"] == "Sample analysis failed"

    def ended():
        return [span for span in collector.of("scan") if facts(span)["squall.sample.id"] == sample]

    scan = wait_until(ended, 20, "the end of the trace")[0]
    assert scan.trace_id == root.trace_id and scan.status.code == Status.STATUS_CODE_ERROR and scan.status.message
    assert facts(scan)["file.path"] == "/srv/deadly.bin" and len(ended()) == 1


@pytest.mark.parametrize("form", ["syslog", "syslog-tcp", "webhook"])
def test_a_delivery_is_a_span_of_the_trace(start, collector, form):
    with Receiver(form) as receiver:
        service = start("--otlp-endpoint", collector.url, *receiver.options)
        service.check(MARKER + SECOND)
        wait_until(lambda: receiver.taken, 20, "the finding arrives")
        spans = collector.trace(5)
        service.check(CLEAN)
        wait_until(lambda: len(collector.of("log")) == 2, 20, "the other sample's trace")
        time.sleep(1.5)
    deliver = spans["deliver"]
    assert [span.name for span in collector.spans].count("deliver") == 1, "nothing is sent of a clean sample"
    assert deliver.kind == Span.SPAN_KIND_CLIENT and deliver.parent_span_id == spans["upload"].span_id
    assert deliver.start_time_unix_nano >= spans["log"].start_time_unix_nano
    assert deliver.status.code == Status.STATUS_CODE_UNSET
    told = facts(deliver)
    assert told == {
        "squall.sample.id": facts(spans["scan"])["squall.sample.id"],
        "squall.output": receiver.name, "squall.output.kind": form.partition("-")[0], "squall.output.tries": 1,
    }  # fmt: skip
    assert SECRET.encode() not in collector.raw


def test_a_delivery_after_a_restart_belongs_to_the_trace_it_began_in(start, collector):
    port = free_port()
    service = start("--otlp-endpoint", collector.url, "--syslog", f"127.0.0.1:{port}:JSON:TCP")
    finding = service.check(MARKER, generation="/api/v1")[0]
    root = collector.trace(4)["upload"]
    service.stop()
    assert not collector.of("deliver")
    with Receiver("syslog-tcp", port) as receiver:
        service.start()
        wait_until(lambda: receiver.taken, 60, "the finding arrives")
        deliver = wait_until(lambda: collector.of("deliver"), 20, "its span")[0]
    assert finding["meta"]["event_id"].encode() in receiver.taken[0]
    assert deliver.trace_id == root.trace_id and deliver.parent_span_id == root.span_id
    assert facts(deliver)["squall.sample.id"] == facts(root)["squall.sample.id"]


def test_what_a_receiver_refuses_is_told_with_tries_and_error(start, collector):
    with Receiver("webhook") as receiver:
        service = start("--otlp-endpoint", collector.url, *receiver.options, "--webhook-tries", "3")
        receiver.statuses = [500, 503, 200, 500, 500, 500]
        service.check(MARKER)
        first = wait_until(lambda: collector.of("deliver"), 60, "the first delivery")[0]
        service.check(MARKER + b"2")
        second = wait_until(lambda: len(collector.of("deliver")) == 2 and collector.of("deliver")[1], 60, "the second")
    told = facts(first)
    assert first.status.code == Status.STATUS_CODE_UNSET
    assert told["squall.output.tries"] == 3 and told["squall.output.last_error"] == "the receiver answered with 503"
    assert first.end_time_unix_nano - first.start_time_unix_nano > 0.2e9, "from the first try on"
    assert second.status.code == Status.STATUS_CODE_ERROR and "500" in second.status.message
    assert facts(second)["squall.output.tries"] == 3
    assert first.trace_id != second.trace_id


def test_a_spool_of_the_version_before_is_sent_without_a_span(start, collector):
    port = free_port()
    options = ("--syslog", f"127.0.0.1:{port}:JSON:TCP")
    service = start(*options)
    service.check(MARKER)
    service.stop()
    # Without traces, records are what they were before.
    segment = next((service.data / "outputs").rglob("*.seg")).read_bytes()
    length = int.from_bytes(segment[:4], "little")
    assert len(segment) == 16 + length and segment[16:17] == b"{"
    service.args += ["--otlp-endpoint", collector.url]
    with Receiver("syslog-tcp", port) as receiver:
        service.start()
        service.check(MARKER + b"2")
        wait_until(lambda: len(receiver.taken) == 2, 60, "both findings arrive")
        wait_until(lambda: collector.of("deliver"), 20, "the span of the second")
        time.sleep(1.5)
    assert len(collector.of("deliver")) == 1
    assert collector.of("deliver")[0].trace_id == collector.of("scan")[0].trace_id


def test_a_collector_that_is_away_costs_nothing_but_traces(start):
    port = free_port()
    service = start("--otlp-endpoint", f"http://127.0.0.1:{port}", "--otlp-header", f"x-key={SECRET}")
    for _ in range(5):
        began = time.monotonic()
        assert service.check(CLEAN) == []
        assert time.monotonic() - began < 5
    wait_until(lambda: value(service, "squall_trace_spans_total", outcome="failed") >= 20, 90, "the spans counted as failed")
    assert service.output().count("the collector does not take traces") == 1 and SECRET not in service.output()
    collector = Collector(port)
    try:
        service.check(CLEAN)
        wait_until(lambda: collector.spans, 60, "spans again")
        wait_until(lambda: "traces are taken again" in service.output(), 10, "the news")
    finally:
        collector.close()
    began = time.monotonic()
    service.stop()
    assert time.monotonic() - began < 10


def test_a_share_of_samples_is_traced_whole(start, collector):
    service = start("--otlp-endpoint", collector.url, "--otlp-percent", "50")
    for number in range(60):
        service.check(b"%d" % number)
    wait_until(lambda: len({span.trace_id for span in collector.spans}) >= 12, 20, "some traces")
    time.sleep(2)
    by_trace = {}
    for span in collector.spans:
        by_trace.setdefault(span.trace_id, set()).add(span.name)
    assert 12 <= len(by_trace) <= 48
    assert all(names == {"upload", "queue", "scan", "log"} for names in by_trace.values())


@pytest.mark.parametrize(("option", "text"), [
    ("--otlp-endpoint", "collector:4318"), ("--otlp-endpoint", "ftp://h/"), ("--otlp-header", "no-value"),
    ("--otlp-header", "a b=c"), ("--otlp-percent", "101"), ("--otlp-percent", "x"),
])  # fmt: skip
def test_wrong_settings_are_refused(start, option, text):
    with pytest.raises(StartError) as refused:
        start("--otlp-endpoint", "http://127.0.0.1:1", option, text)
    assert option.strip("-") in str(refused.value)
