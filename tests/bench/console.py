"""The part of the bench that asks what the pages of the console ask."""

import math
import os
import shutil
import threading
import time
from urllib.parse import quote

from context import THREADS, Missing, output_of
from service import Squall, load
from table import Row

# What each page of the console asks for. Another value each time: `{n}` a number, `{id}`, `{hash}` and `{time}` of a finding,
# `{source}` and `{run}` of those there are, `{rule}` in force, `{cursor}` the end of a page of the list.
PAGES = {
    "every page": ("session", "overview"),
    "overview": ("findings?limit=8", "findings/history?minutes=60", "sampleHistory?limit=60", "queueHistory?limit=60", "deniedHistory?limit=60"),
    "findings": (
        "findings?limit=50", "findings?limit=50&cursor={cursor}", "findings?limit=50&level=Alert", "findings?limit=50&level=Alert&cursor={cursor}",
        "findings?limit=50&source=host-{n}.example.org", "findings?limit=50&q=string{n}", "findings?limit=50&q=windows+exe",
        "findings?limit=50&q=nowhere", "findings?limit=50&name=system32", "findings?limit=50&name=no+such+name", "findings?limit=50&name=ex",
        "findings?limit=50&name=qq", "findings?limit=50&name=q", "findings?limit=50&level=Notice&name=qq",
        "findings?limit=50&rule=RULE_Group1_Made_Up_1&since=7d", "findings?limit=50&score_min=95&tag=T1003", "findings?limit=50&review=reviewed",
        "findings?limit=50&review=open", "findings?limit=50&hash={hash}", "findings?limit=50&scan_id={run}", "findings?limit=50&until={time}",
        "findings?limit=50&since=1h", "signatures/rules?q=made&limit=20",
    ),
    "finding": ("findings/{id}?wait=10",),
    "sources": (
        "sources?limit=100", "sources?limit=100&cursor={sources_cursor}", "sources?limit=100&name=host-19", "sources?limit=100&name=zz",
        "source?name={source}", "collections?limit=100", "collections?limit=100&cursor={runs_cursor}", "collections?limit=100&state=incomplete",
    ),
    "signatures": (
        "signatures", "signatures/rules?limit=25", "signatures/rules?limit=25&offset=25", "signatures/rules?limit=25&q=webshell",
        "signatures/rules?limit=25&origin=internal", "signatures/rules/{rule}", "signatures/sources", "signatures/costs", "signatures/own",
    ),
    "system": ("info", "samples/failed?limit=100", "log?lines=200", "configuration", "self-check"),
}  # fmt: skip


def console(context):
    """What every page of the console asks for, with a million findings of 2,000 sources, while both cores scan"""
    count = context.size(1_000_000, 100_000, 2000)
    asked = context.size(100, 40, 3)
    database = filled_store(context, count)
    times = {}
    with Squall(context, context.folder("console-service"), "--threads", THREADS, "--findings-db", database) as squall:
        before = squall.scanned()
        # More than is scanned meanwhile: the queue never runs dry, and none of it is known.
        samples = context.size(600_000, 100_000, 2000)
        sender = threading.Thread(target=load, args=(context, squall.address, "/api/checkAsync"),
                                  kwargs={"size": 10_000, "count": samples, "connections": 16})
        sender.start()
        while squall.get("/api/status")["queued_async_requests"] == 0 and sender.is_alive():
            time.sleep(0.01)
        began = time.monotonic()
        known = Known(squall)
        for at in range(asked):
            for page, paths in PAGES.items():
                for path in paths:
                    filled = path.format(**known.values(at))
                    begun = time.monotonic()
                    squall.get(f"/api/v1/{filled}")
                    times.setdefault((page, path), []).append(time.monotonic() - begun)
        rate = (squall.scanned() - before) / (time.monotonic() - began)
        waiting = squall.get("/api/status")["queued_async_requests"]
        sender.join()
        stored = squall.get("/api/v1/overview")["findings"]["stored"]
    if not waiting:
        context.notes.append("the console was asked while the queue ran dry")
    rows = []
    for page, paths in PAGES.items():
        # Of each thing that is asked for by itself: what is quick would hide what is not.
        worst, path = max((p95(times[page, path]), path) for path in paths)
        rows.append(
            Row(f"console with {stored:,} findings, page {page}: p95 of its slowest request", [worst * 1000], " ms", at_most=200,
                detail=f"`{path}`; {len(paths)} kinds of requests, {asked} of each; {rate:,.0f} samples/s scanned meanwhile"),
        )  # fmt: skip
    return rows


def filled_store(context, count):
    """A findings store with that many findings: one that `generate` filled before, or a new one."""
    ready = os.environ.get("SQUALL_BENCH_FINDINGS")
    if ready:
        return ready
    database = context.folder("console") / "findings.db"
    if count * 3500 > shutil.disk_usage(context.dir).free - (5 << 30):
        raise Missing("there is too little disk")
    output_of([context.program("examples/generate"), count, database, "--only-fill"])
    return database


class Known:
    """What there is to ask for."""

    def __init__(self, squall):
        page = squall.get("/api/v1/findings?limit=1000")
        self.findings, self.cursor = page["findings"], page["cursor"]
        self.sources_cursor = squall.get("/api/v1/sources?limit=1000")["cursor"]
        self.runs_cursor = squall.get("/api/v1/collections?limit=1000")["cursor"]
        self.rules = [rule["name"] for rule in squall.get("/api/v1/signatures/rules?limit=100")["rules"]]

    def values(self, at):
        """The values of one round."""
        finding = self.findings[at * 7 % len(self.findings)]
        number = at * 37 % 2000
        return {
            "n": f"{number:04}", "id": finding["event_id"], "hash": finding["sha256"], "time": quote(finding["time"]),
            "source": f"host-{number:04}.example.org", "run": f"run-{number:08}-0000-4000-8000-000000000000",
            "rule": self.rules[at % len(self.rules)], "cursor": self.cursor or "", "sources_cursor": quote(self.sources_cursor or ""),
            "runs_cursor": quote(self.runs_cursor or ""),
        }  # fmt: skip


def p95(values):
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]
