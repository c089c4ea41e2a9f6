#!/usr/bin/env python3
"""Checks the starter signatures: compilation, meta, test files, false positives.

Needs the PyPI package `yara-x` of the version the service is built with.

    check_signatures.py                     compile, meta, test files
    check_signatures.py --system            and measure false positives on this machine
    check_signatures.py --system /opt /srv  the same on other folders
    check_signatures.py --scan FILE...      show what the set says about some files
    check_signatures.py --show RULE         print the test files of a rule
    check_signatures.py --encode FILE       print a file in the stored form

The exit status is 0 when everything asked for holds, 1 when something does
not, 2 on wrong usage. `tests/data/signatures/README.md` describes the folder
of test files.
"""

import argparse
import base64
import os
import re
import stat
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

import yara_x

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / "config" / "signatures" / "yara"
CASES = REPOSITORY / "tests" / "data" / "signatures"

EXTERNALS = (
    "filename", "filepath", "extension", "filetype", "md5", "owner", "group",
    "filemode", "timezone", "language", "osversion", "unpack_parent", "unpack_source",
)
META_REQUIRED = ("description", "author", "date", "score", "reference", "id")
META_ALLOWED = META_REQUIRED + ("falsepositive",)

NOTICE, WARNING, ALERT = 40, 60, 81
ALERT_SUBSCORE_OVER = 75

RULES_MIN = 45
SYSTEM_WARNINGS_MAX = 3
SYSTEM_FOLDERS = ("/usr/bin", "/usr/lib")
# Larger files are read in part: rules look at the start or have a size limit.
SYSTEM_FILE_BYTES_MAX = 200 * 1024 * 1024
SCAN_TIMEOUT_S = 60


@dataclass
class Verdict:
    """What the set says about one file."""

    subscores: dict = field(default_factory=dict)

    @property
    def score(self):
        """The total of the sub-scores, 0 to 100."""
        rest = 1.0
        for place, subscore in enumerate(sorted(self.subscores.values(), reverse=True)):
            if subscore > 0:
                rest *= 1 - subscore / 100 / 2**place
        total = 100 * (1 - rest) + sum(s for s in self.subscores.values() if s < 0)
        return round(min(100, max(0, total)))

    @property
    def level(self):
        """The level of a finding with this score; empty below a notice."""
        strongest = max(self.subscores.values(), default=0)
        if self.score >= ALERT and strongest > ALERT_SUBSCORE_OVER:
            return "Alert"
        if self.score >= WARNING:
            return "Warning"
        return "Notice" if self.score >= NOTICE else ""

    def __str__(self):
        rules = ", ".join(f"{name} {score}" for name, score in sorted(self.subscores.items()))
        return f"{self.level or 'clean'} {self.score} ({rules})" if rules else "clean"


def filetype_of(data):
    """Returns a rough guess at the service's `filetype` from the first bytes."""
    head = data[:512]
    if head[:2] == b"MZ":
        return "EXE"
    magics = (
        (b"\x7fELF", "ELF"), (b"PK\x03\x04", "ZIP"), (b"%PDF", "PDF"), (b"\xd0\xcf\x11\xe0", "OLE"),
        (b"{\\rt", "RTF"), (b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPG"), (b"GIF8", "GIF"),
        (b"<?php", "PHP"), (b"\x1f\x8b", "GZIP"), (b"L\0\0\0\x01\x14\x02\0", "LNK"), (b"MDMP", "MDMP"),
    )
    return next((name for magic, name in magics if head.startswith(magic)), "UNKNOWN")


def name_parts(path):
    """Splits a sender's path as the service does: folder, base name, extension."""
    cut = max(path.rfind("/"), path.rfind("\\"))
    folder = "" if cut < 0 else path[: max(cut, 1)]
    base = path[cut + 1 :]
    dot = base.rfind(".")
    extension = base[dot:].lower() if 0 < dot < len(base) - 1 else ""
    return folder, base, extension


class Signatures:
    """The compiled set."""

    def __init__(self, files):
        self.problems = []
        self.scores = {}
        compiler = yara_x.Compiler(error_on_slow_pattern=True)
        for name in EXTERNALS:
            compiler.define_global(name, "")
        for file in files:
            try:
                compiler.add_source(file.read_text(encoding="utf-8"), origin=file.name)
            except yara_x.CompileError as error:
                self.problems.append(str(error))
        for warning in compiler.warnings():
            self.problems.append(f"warning: {warning.get('text', warning)}")
        started = time.monotonic()
        self.rules = compiler.build()
        self.build_s = time.monotonic() - started
        self.all = list(self.rules)
        self.scores = {rule.identifier: dict(rule.metadata).get("score", 75) for rule in self.all}
        self.scanner = yara_x.Scanner(self.rules)
        self.scanner.set_timeout(SCAN_TIMEOUT_S)

    def scan(self, data, path):
        """Scans bytes as if a sender had sent them under this path."""
        folder, base, extension = name_parts(path)
        values = {
            "filename": base, "filepath": folder, "extension": extension,
            "filetype": filetype_of(data),
        }
        for name, value in values.items():
            self.scanner.set_global(name, value)
        found = self.scanner.scan(data).matching_rules
        return Verdict({rule.identifier: self.scores[rule.identifier] for rule in found})


def check_meta(signatures):
    """Returns what is wrong with the rules' names, meta and tags."""
    problems, ids, descriptions = [], {}, {}
    for rule in signatures.all:
        name, meta = rule.identifier, list(rule.metadata)
        values = dict(meta)

        def wrong(what, name=name):
            problems.append(f"{name}: {what}")

        if not re.fullmatch(r"SQUALL_[A-Z][A-Za-z]*(_[A-Za-z0-9]+)+", name):
            wrong("name is not SQUALL_<Theme>_<What>")
        keys = [key for key, _ in meta]
        if len(keys) != len(set(keys)):
            wrong("a meta key stands twice")
        for key in META_REQUIRED:
            if values.get(key) in (None, ""):
                wrong(f"meta `{key}` is missing")
        for key in set(keys) - set(META_ALLOWED):
            wrong(f"meta `{key}` is not used in this set")
        if not isinstance(values.get("score"), int) or not NOTICE <= values["score"] <= 100:
            wrong(f"score is not an integer from {NOTICE} to 100")
        if values.get("author") != "Squall project":
            wrong("author is not `Squall project`")
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(values.get("date"))):
            wrong("date is not YYYY-MM-DD")
        address = urlparse(str(values.get("reference")))
        if address.scheme != "https" or not address.netloc:
            wrong("reference is not an https address")
        try:
            if str(uuid.UUID(values.get("id", ""))) != values["id"]:
                wrong("id is not a lower case uuid")
        except ValueError:
            wrong("id is not a uuid")
        for seen, key in ((ids, "id"), (descriptions, "description")):
            other = seen.setdefault(values.get(key), name)
            if other != name:
                wrong(f"{key} is that of {other} too")
        tags = list(rule.tags)
        if not tags or any(tag != tag.upper() for tag in tags):
            wrong("tags are missing or not in upper case")
    if len(signatures.all) < RULES_MIN:
        problems.append(f"{len(signatures.all)} rules, expected at least {RULES_MIN}")
    return problems


def stored_files(folder):
    """Yields (case, path on the sender, bytes) of each test file in a rule's folder."""
    names = {}
    sidecar = folder / "name.txt"
    if sidecar.exists():
        for line in sidecar.read_text(encoding="utf-8").splitlines():
            case, _, path = line.partition(": ")
            names[case] = path
    for file in sorted(folder.iterdir()):
        case = file.name.split(".")[0]
        if file.name == "name.txt":
            continue
        data, name = file.read_bytes(), file.name
        if name.endswith(".b64"):
            data, name = base64.b64decode(data), name[: -len(".b64")]
        yield case, names.get(case, name), data


def check_cases(signatures):
    """Returns what is wrong with the test files, and how many there are."""
    problems, count = [], 0
    names = {rule.identifier for rule in signatures.all}
    folders = {folder.name: folder for folder in CASES.iterdir() if folder.is_dir()}
    problems += [f"{name}: no folder of test files" for name in sorted(names - set(folders))]
    problems += [f"{name}: test files of no rule" for name in sorted(set(folders) - names)]
    for name in sorted(names & set(folders)):
        kinds = set()
        for case, path, data in stored_files(folders[name]):
            count += 1
            verdict = signatures.scan(data, path)
            if case.startswith("positive"):
                kinds.add("positive")
                if name not in verdict.subscores:
                    problems.append(f"{name}: {case} ({path}) does not match: {verdict}")
            elif case.startswith("near_miss"):
                kinds.add("near_miss")
                if name in verdict.subscores:
                    problems.append(f"{name}: {case} ({path}) matches")
                elif verdict.score >= WARNING:
                    problems.append(f"{name}: {case} ({path}) is a {verdict}")
            else:
                problems.append(f"{name}: {case} is neither positive nor near_miss")
        problems += [f"{name}: no {kind} file" for kind in ("positive", "near_miss") if kind not in kinds]
    return problems, count


def regular_files(folders):
    """Yields the regular files below some folders, each once, links not followed."""
    seen = set()
    for top in folders:
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    facts = os.lstat(path)
                except OSError:
                    continue
                if stat.S_ISREG(facts.st_mode) and (facts.st_dev, facts.st_ino) not in seen:
                    seen.add((facts.st_dev, facts.st_ino))
                    yield path


def measure_system(signatures, folders):
    """Scans this machine's programs; prints what is found and returns whether it is few."""
    levels = {"Alert": 0, "Warning": 0, "Notice": 0}
    count = size = unread = 0
    slowest = (0.0, "")
    started = time.monotonic()
    for path in regular_files(folders):
        try:
            with open(path, "rb") as file:
                data = file.read(SYSTEM_FILE_BYTES_MAX)
            before = time.monotonic()
            verdict = signatures.scan(data, path)
        except (OSError, yara_x.TimeoutError) as error:
            print(f"not scanned: {path}: {error}")
            unread += 1
            continue
        slowest = max(slowest, (time.monotonic() - before, path))
        count, size = count + 1, size + len(data)
        if verdict.level:
            levels[verdict.level] += 1
            print(f"{path}: {verdict}")
    took = time.monotonic() - started
    print(
        f"system: {count} files, {size / 1e6:.0f} MB in {took:.0f} s ({size / 1e6 / max(took, 0.001):.0f} MB/s, "
        f"slowest {slowest[0]:.2f} s {slowest[1]}): {levels['Alert']} alerts, {levels['Warning']} warnings, "
        f"{levels['Notice']} notices, {unread} not scanned"
    )
    return levels["Alert"] == 0 and levels["Warning"] <= SYSTEM_WARNINGS_MAX


def show(rule):
    """Prints the test files of a rule."""
    for case, path, data in stored_files(CASES / rule):
        print(f"--- {case}: {path} ({len(data)} bytes)")
        print(data[:4096].decode("utf-8", "backslashreplace"))


def arguments():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", nargs="*", metavar="FOLDER", help="measure false positives")
    parser.add_argument("--scan", nargs="+", metavar="FILE", help="scan files and print the verdicts")
    parser.add_argument("--show", metavar="RULE", help="print the test files of a rule")
    parser.add_argument("--encode", metavar="FILE", help="print a file in the stored form")
    return parser.parse_args()


def main():
    """Runs what the command line asks for."""
    options = arguments()
    if options.show:
        show(options.show)
        return 0
    if options.encode:
        print(base64.encodebytes(Path(options.encode).read_bytes()).decode(), end="")
        return 0
    signatures = Signatures(sorted(RULES.rglob("*.yar")))
    if options.scan:
        for path in options.scan:
            print(f"{path}: {signatures.scan(Path(path).read_bytes(), path)}")
        return 0
    problems = signatures.problems + check_meta(signatures)
    found, count = check_cases(signatures)
    problems += found
    for problem in problems:
        print(problem)
    print(f"set: {len(signatures.all)} rules, {count} test files, {len(problems)} problems")
    few = True
    if options.system is not None:
        few = measure_system(signatures, options.system or SYSTEM_FOLDERS)
    return 0 if few and not problems else 1


if __name__ == "__main__":
    sys.exit(main())
