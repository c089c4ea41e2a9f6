"""The part of the bench that asks what the pages of the console ask."""

import math
import shutil
import threading
import time

from context import THREADS, Missing, output_of
from service import Squall, load
from table import Row

# What each page of the console asks for; `{n}` is another number each time, `{id}` the id of a finding, `{source}` a source.
PAGES = {
    "overview": ("overview", "findings?limit=8", "findings/history?minutes=60", "sampleHistory?limit=60", "queueHistory?limit=60", "deniedHistory?limit=60"),
    "findings": (
        "findings?limit=50", "findings?limit=50&level=Alert", "findings?limit=50&source=host-{n}.example.org", "findings?limit=50&q=string{n}",
        "findings?limit=50&q=windows+exe", "findings?limit=50&name=system32", "findings?limit=50&rule=RULE_Group1_Made_Up_1&since=7d",
        "findings?limit=50&score_min=95&tag=T1003", "findings?limit=50&review=reviewed",
    ),
    "finding": ("findings/{id}",),
    "sources": ("sources?limit=50", "sources?limit=50&name=host-19", "collections?limit=50", "collections?limit=50&state=incomplete", "sources/{source}"),
    "signatures": ("signatures", "signatures/rules?limit=25", "signatures/rules?limit=25&q=webshell", "signatures/sources", "signatures/costs", "signatures/own"),
    "system": ("info", "samples/failed?limit=100", "log?lines=200", "configuration", "self-check"),
}  # fmt: skip


def console(context):
    """What every page of the console asks for, with a million findings of 2,000 sources, while both cores scan"""
    count = context.size(1_000_000, 100_000, 2000)
    asked = context.size(100, 40, 3)
    database = context.folder("console") / "findings.db"
    if count * 3500 > shutil.disk_usage(context.dir).free - (5 << 30):
        raise Missing("there is too little disk")
    output_of([context.program("examples/generate"), count, database, "--only-fill"])
    times = {page: [] for page in PAGES}
    slowest = {}
    with Squall(context, context.folder("console-service"), "--threads", THREADS, "--findings-db", database) as squall:
        before = squall.scanned()
        # More than is scanned meanwhile: the queue never runs dry, and none of it is known.
        samples = context.size(400_000, 100_000, 2000)
        sender = threading.Thread(target=load, args=(context, squall.address, "/api/checkAsync"),
                                  kwargs={"size": 10_000, "count": samples, "connections": 16})
        sender.start()
        while squall.get("/api/status")["queued_async_requests"] == 0 and sender.is_alive():
            time.sleep(0.01)
        began = time.monotonic()
        ids = [row["event_id"] for row in squall.get("/api/v1/findings?limit=1000")["findings"]]
        for at in range(asked):
            for page, paths in PAGES.items():
                for path in paths:
                    filled = path.format(n=f"{at * 37 % 2000:04}", id=ids[at * 7 % len(ids)], source=f"host-{at * 37 % 2000:04}.example.org")
                    begun = time.monotonic()
                    squall.get(f"/api/v1/{filled}")
                    seconds = time.monotonic() - begun
                    times[page].append(seconds)
                    slowest.setdefault(path, []).append(seconds)
        rate = (squall.scanned() - before) / (time.monotonic() - began)
        waiting = squall.get("/api/status")["queued_async_requests"]
        sender.join()
        stored = squall.get("/api/v1/overview")["findings"]["stored"]
    if not waiting:
        context.notes.append("the console was asked while the queue ran dry")
    rows = []
    for page, values in times.items():
        worst = max((p95(slowest[path]), path) for path in PAGES[page])
        rows.append(
            Row(f"console with {stored:,} findings, page {page}: p95 of a request", [p95(values) * 1000], " ms", at_most=200,
                detail=f"slowest: `{worst[1]}` with {worst[0] * 1000:.0f} ms; {rate:,.0f} samples/s scanned meanwhile"),
        )  # fmt: skip
    return rows


def p95(values):
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]
