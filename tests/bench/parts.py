"""The parts of the bench: each measures some rows of the table, by turns where two things are compared."""

import json
import os
import re
import shutil
import time
from pathlib import Path
from statistics import median

import corpus
import peers
from console import console
from context import THREADS, Missing, output_of
from service import Squall, cpu_seconds, listening, load
from table import Row, show

# Rules alone, and archives closed: the work that other scanners do.
PURE = ("--pure-yara", "true", "--noarchive", "true")


def rate_of(seconds, count):
    return f"{count / median(seconds):,.0f} files/s"


def generator(context):
    """What the load generator itself costs"""
    rows = []
    with listening([context.bench, "null"]) as (address, _):
        for size, connections in ((10_000, 64), (100_000, 16), (1_000_000, 64)):
            count = context.size(400_000_000, 100_000_000, 5_000_000) // size
            runs = [load(context, address, size=size, count=count, connections=connections) for _ in range(context.rounds)]
            cpu = median(run["cpu_seconds"] / run["requests"] for run in runs) * 1e6
            rows.append(
                Row(
                    f"load generator against a server that does nothing, {size // 1000} KB, {connections} connections",
                    [run["rate"] for run in runs],
                    " uploads/s",
                    detail=f"{cpu:.0f} µs of processor time an upload on the sending side",
                )
            )
    return rows


def drain(context):
    """The durable queue, drained, against a bare loop over the engine"""
    listed = corpus.plain_list(context, "corpus.list", corpus.files(context))
    result = json.loads(
        output_of([context.scan_bench, "drain", context.rules, listed, THREADS, max(context.rounds, 2)])
    )
    bare, drained = result["bare_seconds"], result["drain_seconds"]
    return [
        Row(
            "queue drain ÷ bare loop, files/s",
            [one / other for one, other in zip(bare, drained)],
            at_least=0.95,
            detail=f"drain {rate_of(drained, result['files'])}, loop {rate_of(bare, result['files'])}",
        )
    ]


def upload(context):
    """Upload and scan of the corpus over HTTP, against `yr` over the files on disk"""
    return [
        *against_yr(context, "rules alone, archives closed: the work of `yr`", PURE, True),
        *against_yr(context, "default settings: archives opened, indicators, heuristics", (), False),
    ]


def against_yr(context, name, options, judged):
    files = corpus.files(context)
    uploads = corpus.upload_list(context, "corpus.uploads", files)
    peer = peers.YaraX(context, corpus.plain_list(context, "corpus.list", files))
    times = {"yr": [], "sync": [], "async": []}
    for at in range(context.rounds):
        times["yr"].append(peer.scan())
        times["sync"].append(upload_sync(context, f"sync-{judged}-{at}", uploads, options))
        times["async"].append(upload_async(context, f"async-{judged}-{at}", uploads, len(files), options))
    goal = 1.35
    detail = f"yr {rate_of(times['yr'], len(files))}, sync {rate_of(times['sync'], len(files))}, async {rate_of(times['async'], len(files))}"
    return [
        Row(
            f"upload + scan, 16 connections, {mode}: time ÷ time of `yr` ({name})",
            [one / other for one, other in zip(times[key], times["yr"])],
            at_most=goal,
            detail=detail if key == "sync" else "",
        )
        for key, mode in (("sync", "synchronous"), ("async", "asynchronous until the last result"))
    ]


def upload_sync(context, name, uploads, options=()):
    """Seconds in which all uploads were answered by a new service."""
    with Squall(context, context.folder(name), "--threads", THREADS, *options) as squall:
        return load(context, squall.address, list=uploads, connections=16)["seconds"]


def upload_async(context, name, uploads, count, options=()):
    """Seconds until the last result of a new service could be read."""
    with Squall(context, context.folder(name), "--threads", THREADS, *options) as squall:
        before = squall.scanned()
        began = time.monotonic()
        load(context, squall.address, "/api/checkAsync", list=uploads, connections=16)
        squall.wait_scanned(before + count)
        return time.monotonic() - began


def latency(context):
    """Synchronous latency of an idle service over the engine's own scan time, 10 KB"""
    count = context.size(3000, 1000, 20)
    folder = context.folder("bodies")
    paths = write_bodies(folder, count * context.rounds)
    warm(context)
    p50, p99 = [], []
    details = []
    for at in range(context.rounds):
        some = paths[at * count : (at + 1) * count]
        listed = corpus.plain_list(context, "bodies.list", some)
        uploads = corpus.upload_list(context, "bodies.uploads", some)
        engine = json.loads(output_of([context.scan_bench, "drain", context.rules, listed, 1, 1]))
        with Squall(context, context.folder(f"idle-{at}"), "--threads", THREADS) as squall:
            load(context, squall.address, size=10_000, count=50)
            ours = load(context, squall.address, list=uploads, connections=1, pause_us=500)
        p50.append((ours["p50_us"] - engine["bare_p50_us"]) / 1000)
        p99.append((ours["p99_us"] - engine["bare_p99_us"]) / 1000)
        details.append((ours["p50_us"], engine["bare_p50_us"], ours["p99_us"], engine["bare_p99_us"]))
    middle = [median(column) / 1000 for column in zip(*details)]
    return [
        Row("synchronous latency over the engine's, 10 KB, idle, p50", p50, " ms", at_most=0.4,
            detail=f"{middle[0]:.2f} ms, engine {middle[1]:.2f} ms"),
        Row("synchronous latency over the engine's, 10 KB, idle, p99", p99, " ms", at_most=1.5,
            detail=f"{middle[2]:.2f} ms, engine {middle[3]:.2f} ms"),
    ]  # fmt: skip


def write_bodies(folder, count):
    """Files of 10 KB that all differ."""
    line = "the quick brown fox jumps over the lazy dog, again and again, entry {:08}\n"
    paths = []
    for at in range(count):
        path = folder / f"{at:06}.txt"
        path.write_text("".join(line.format(at * 1000 + n) for n in range(140))[:10_000])
        paths.append(path)
    return paths


def busy(context):
    """Synchronous latency while 100,000 samples are queued"""
    queued = context.size(100_000, 20_000, 50)
    count = context.size(2000, 500, 20)
    ratios, details = [], []
    warm(context)
    for at in range(context.rounds):
        options = ("--threads", THREADS, "--sync-only-threads", 1)
        with Squall(context, context.folder(f"busy-{at}"), *options) as squall:
            load(context, squall.address, size=10_000, count=50)
            idle = load(context, squall.address, size=10_000, count=count, first=10**6, pause_us=500)
            load(context, squall.address, "/api/checkAsync", size=1000, count=queued, first=10**7, connections=64)
            full = load(context, squall.address, size=10_000, count=count, first=10**8, pause_us=500)
            left = squall.get("/api/status")["queued_async_requests"]
        ratios.append(full["p99_us"] / idle["p99_us"])
        details.append((idle["p99_us"], full["p99_us"], left))
    middle = [median(column) for column in zip(*details)]
    return [
        Row(f"synchronous p99 with {queued:,} queued, `sync-only-threads: 1` ÷ idle p99", ratios, at_most=3,
            detail=f"idle {middle[0] / 1000:.2f} ms, busy {middle[1] / 1000:.2f} ms; {middle[2]:,.0f} still waited at the end"),
    ]  # fmt: skip


def durable(context):
    """Durable `checkAsync` against the same server throwing the sample away"""
    rows = []
    for size, label, goal in ((10_000, "10 KB", 0.6), (1_000_000, "1 MB", 0.8)):
        count = context.size(600_000_000, 200_000_000, 8_000_000) // size
        runs = {"durable": [], "buffered": [], "throw-away": [], "discard": []}
        for at in range(context.rounds):
            for mode, values in runs.items():
                folder = context.folder(f"{mode}-{size}-{at}")
                with listening([context.bench, "intake", "--dir", folder, "--mode", mode]) as (address, process):
                    values.append(intake(context, address, process, mode, size, count))
                shutil.rmtree(folder)
        for other, what, bound in (
            ("throw-away", "the same server, which throws the sample away", goal),
            ("discard", "an HTTP stack that does not look at the body", None),
        ):
            ratios = [one["rate"] / two["rate"] for one, two in zip(runs["durable"], runs[other])]
            what = f"durable `checkAsync`, {label}, 64 connections ÷ {what}"
            rows.append(Row(what, ratios, at_least=bound))
        rows[-2].detail = "; ".join(
            f"{mode} {median(run['rate'] for run in values):,.0f}/s at {median(run['cpu_us'] for run in values):.0f} µs of processor time"
            for mode, values in runs.items()
        )
    return rows


def intake(context, address, process, mode, size, count):
    """One load of equal bodies on a server of `squall-bench intake`."""
    path = "/api/check" if mode == "throw-away" else "/api/checkAsync"
    load(context, address, path, size=size, count=count // 10 + 64, connections=64)
    before = cpu_seconds(process.pid)
    run = load(context, address, path, size=size, count=count, connections=64, first=10**6)
    run["cpu_us"] = (cpu_seconds(process.pid) - before) / count * 1e6
    return run


def tls(context):
    """Upload over TLS against plain HTTP, the samples thrown away"""
    rows = []
    kinds = (
        ("keep-alive", {}, 0.9),
        ("new connection per file, whole handshake", {"new_connections": True}, 0.5),
        ("new connection per file, session resumed", {"new_connections": True, "resume": True}, None),
    )
    count = context.size(6000, 2000, 30)
    command = [context.bench, "intake", "--mode", "throw-away", "--dir"]
    with (
        listening([*command, context.folder("plain")]) as (plain, _),
        listening([*command, context.folder("tls"), "--tls"]) as (secure, _),
    ):
        for kind, (name, options, goal) in enumerate(kinds):
            rates = {plain: [], secure: []}
            for at in range(context.rounds + 1):
                # Bodies that were not met before: digests of others are known.
                first = (kind * (context.rounds + 1) + at) * count
                for address, values in rates.items():
                    over = dict(options, tls=address == secure)
                    if address == plain:
                        over.pop("resume", None)
                    run = load(context, address, size=100_000, count=count, connections=16, first=first, **over)
                    # The first round warms up.
                    if at:
                        values.append(run["rate"])
            middle = [median(values) for values in rates.values()]
            rows.append(
                Row(f"TLS ÷ plain, 100 KB, 16 connections, {name}",
                    [one / other for one, other in zip(rates[secure], rates[plain])], at_least=goal,
                    detail=f"TLS {middle[1]:,.0f}/s, plain {middle[0]:,.0f}/s"),
            )  # fmt: skip
    return rows


def fleet(context):
    """A fleet whose hosts share 95 % of their files, against files that all differ"""
    files = corpus.files(context)
    uploads = corpus.upload_list(context, "corpus.uploads", files)
    plan, count, different = corpus.fleet_list(context, "fleet.uploads")
    ratios, rates = [], []
    for at in range(context.rounds):
        all_different = len(files) / upload_sync(context, f"different-{at}", uploads)
        repeated = count / upload_sync(context, f"fleet-{at}", plan)
        ratios.append(repeated / all_different)
        rates.append((repeated, all_different))
    middle = [median(column) for column in zip(*rates)]
    return [
        Row("fleet corpus ÷ all-different corpus, files/s", ratios, at_least=10,
            detail=f"{count:,} uploads of {different:,} contents at {middle[0]:,.0f}/s; all different {middle[1]:,.0f}/s"),
    ]  # fmt: skip


def python(context):
    """Against a straightforward Python service over the same engine"""
    files = corpus.files(context)
    # It remembers nothing and its rate is even: a part of each plan is enough for it.
    some = context.size(2000, 600, 20)
    different = corpus.upload_list(context, "python.uploads", corpus.spread(files, some))
    plan, count, _ = corpus.fleet_list(context, "fleet.uploads")
    part = context.dir / "python-fleet.uploads"
    part.write_text("".join(corpus.spread(plan.read_text().splitlines(keepends=True), some)))
    rows = []
    with peers.PythonService(context) as address:
        for name, theirs_list, ours_list, ours_count in (
            ("all files different", different, different, min(some, len(files))),
            ("fleet corpus", part, plan, count),
        ):
            # What that service does not do at all is no matter of speed; both are told.
            ratios = {"the same work": [], "archives opened, indicators, heuristics by Squall": []}
            rates = {work: [] for work in ratios}
            for at in range(min(context.rounds, 3)):
                theirs = load(context, address, list=theirs_list, connections=16)["rate"]
                for work, options in zip(ratios, (PURE, ())):
                    folder = f"python-{ours_list.stem}-{len(options)}-{at}"
                    ours = ours_count / upload_sync(context, folder, ours_list, options)
                    ratios[work].append(ours / theirs)
                    rates[work].append((ours, theirs))
            for work, values in ratios.items():
                middle = [median(column) for column in zip(*rates[work])]
                rows.append(
                    Row(f"Squall ÷ a Python service (FastAPI, 2 processes, yara-x), files/s, {name}, {work}", values,
                        at_least=5, detail=f"Squall {middle[0]:,.0f}/s, Python {middle[1]:,.0f}/s"),
                )  # fmt: skip
    return rows


def scanners(context):
    """Other scanners over the same files, for comparison"""
    files = corpus.files(context)
    listed = corpus.plain_list(context, "corpus.list", files)
    uploads = corpus.upload_list(context, "corpus.uploads", files)
    rows = []
    for make, name in ((peers.Yara, "Debian's `yara`, 2 threads, same rules"), (peers.Clamd, "Debian's `clamd` over INSTREAM")):
        try:
            peer = make(context, listed)
        except Missing as missing:
            context.notes.append(f"not measured: {name}: {missing}")
            continue
        with peer:
            ratios, times = [], []
            for at in range(min(context.rounds, 3)):
                theirs = peer.scan()
                ours = upload_sync(context, f"{make.__name__}-{at}", uploads, PURE)
                ratios.append(theirs / ours)
                times.append((theirs, ours))
        middle = [len(files) / median(column) for column in zip(*times)]
        rows.append(
            Row(f"Squall over HTTP ÷ {name}, files/s", ratios,
                detail=f"{middle[1]:,.0f}/s, {middle[0]:,.0f}/s; {peer.about}"),
        )  # fmt: skip
    return rows


def warm(context):
    """Has the signatures compiled and kept, so that no later start is a cold one."""
    with Squall(context, context.folder("warm"), "--threads", THREADS):
        pass


def start(context):
    """From the start of the process to the first answer"""
    warm(context)
    cold, cached = [], []
    for at in range(context.rounds):
        for values, folder, cache in ((cold, f"cold-{at}", False), (cached, f"cached-{at}", True)):
            squall = Squall(context, context.folder(folder), "--threads", THREADS, cache=cache)
            began = time.monotonic()
            squall.spawn().wait_ready()
            values.append(time.monotonic() - began)
            squall.stop()
    return [
        Row("start with cached rules until the first answer", cached, " s", at_most=0.5),
        Row("cold start until the first answer", cold, " s", at_most=5),
    ]


def memory(context):
    """Resident memory: idle, and each further worker"""
    warm(context)
    idle, cold, each, at_once = [], [], [], []
    more = 6
    # By then the rules are timed, and the allocator has given back what is not used.
    settled = context.size(40, 40, 1)
    count = context.size(2000, 500, 20)
    uploads = corpus.upload_list(context, "memory.uploads", corpus.files(context)[:count])
    for at in range(context.rounds):
        used = {}
        for threads in (2, 2 + more):
            with Squall(context, context.folder(f"memory-{at}-{threads}"), "--threads", threads, *PURE) as squall:
                # What a sample leaves behind is not a worker's: all of them have scanned the same.
                load(context, squall.address, list=uploads, connections=16)
                time.sleep(settled)
                used[threads] = squall.resident_bytes()
        each.append((used[2 + more] - used[2]) / more / 1e6)
        for values, cache in ((idle, True), (cold, False)):
            folder = context.folder(f"idle-{at}-{cache}")
            with Squall(context, folder, "--threads", THREADS, cache=cache) as squall:
                if not cache:
                    at_once.append(squall.resident_bytes() / 1e6)
                time.sleep(settled)
                values.append(squall.resident_bytes() / 1e6)
    return [
        Row(f"resident memory, idle with signatures, 2 workers, {settled} s after the start", idle, " MB", at_most=120,
            detail=f"{used[2] / 1e6:.0f} MB {settled} s after {count:,} samples"),
        Row("the same where this start had to compile the signatures", cold, " MB", at_most=120,
            detail=f"{median(at_once):.0f} MB at once"),
        Row("resident memory, each further worker, all of them used", each, " MB", at_most=10),
    ]  # fmt: skip


def backlog(context):
    """A million waiting samples: how fast they leave, and what they cost"""
    # As many that the time which they take is some seconds.
    count, measured = context.size(1_000_000, 100_000, 2000), context.size(20_000, 2000, 200)
    rounds = min(context.rounds, 3)
    result = json.loads(output_of([context.scan_bench, "backlog", context.rules, count, measured, rounds]))
    long, short = result["long_per_second"], result["short_per_second"]
    detail = f"{median(long):,.0f}/s and {median(short):,.0f}/s"
    starter = context.root / "config/signatures"
    light = json.loads(output_of([context.scan_bench, "backlog", starter, count, measured, rounds]))
    return [
        Row(f"drain rate with {count:,} queued ÷ with {measured:,}, signature-base",
            [one / other for one, other in zip(long, short)], at_least=0.95, detail=detail),
        Row("the same with the starter rules, which cost little",
            [one / other for one, other in zip(light["long_per_second"], light["short_per_second"])],
            detail=f"{median(light['long_per_second']):,.0f}/s and {median(light['short_per_second']):,.0f}/s"),
        Row(f"growth of resident memory with {count:,} queued",
            [grown / 1e6 for grown in result["grown_bytes"] + light["grown_bytes"]], " MB", at_most=200,
            detail=f"queued at {show(median(result['fill_per_second']))}/s"),
    ]  # fmt: skip


def findings(context):
    """The findings store when it is full, against a small one"""
    large = context.size(10_000_000, 100_000, 2000)
    small = context.size(10_000, 5000, 500)
    program = context.program("examples/generate")
    ready = os.environ.get("SQUALL_BENCH_FINDINGS_LARGE")
    if ready:
        large = int(re.search(r"^(\d+) findings", output_of([program, "+0", ready, "--only-fill"]), re.MULTILINE)[1])
    else:
        # A finding takes about 3 KB.
        free = shutil.disk_usage(context.dir).free
        if large * 3500 > free - (5 << 30):
            large = 1_000_000
            context.notes.append(f"the findings store was measured with {large:,} findings: 10,000,000 need 35 GB of disk")
            if large * 3500 > free - (5 << 30):
                raise Missing("there is too little disk")
    stores = {count: context.folder(f"findings-{count}") / "findings.db" for count in (large, small)}
    if ready:
        stores[large] = Path(ready)
    rates, searches = {large: [], small: []}, {large: [], small: []}
    for at in range(min(context.rounds, 3) + 1):
        for count, path in stores.items():
            # The first time fills it, each further one adds a few and searches.
            if not at and str(path) == ready:
                continue
            said = output_of([program, f"+{small if at else count}", path])
            if at:
                rates[count].append(float(re.search(r"stored \d+ in .* s, (\d+)/s", said)[1]))
                searches[count].append(float(re.search(r"every search above +([\d.]+)", said)[1]))
    middle = {count: median(values) for count, values in rates.items()}
    return [
        Row(f"findings store at {large:,} ÷ at {small:,}: findings/s taken in",
            [one / other for one, other in zip(rates[large], rates[small])], at_least=0.8,
            detail=f"{middle[large]:,.0f}/s and {middle[small]:,.0f}/s, in steps of {small:,}"),
        Row(f"findings store at {large:,} ÷ at {small:,}: searches/s, median of 25 kinds",
            [other / one for one, other in zip(searches[large], searches[small])],
            detail=f"{median(searches[large]):.2f} ms and {median(searches[small]):.2f} ms a page of 50"),
    ]  # fmt: skip


ALL = {
    "generator": generator,
    "drain": drain,
    "upload": upload,
    "latency": latency,
    "busy": busy,
    "durable": durable,
    "tls": tls,
    "fleet": fleet,
    "python": python,
    "scanners": scanners,
    "start": start,
    "memory": memory,
    "backlog": backlog,
    "findings": findings,
    "console": console,
}
