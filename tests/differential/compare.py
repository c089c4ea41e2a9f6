#!/usr/bin/env python3
"""Compares the rules that match in Squall with those that match in YARA-X itself.

See README.md beside this file. Exit status: 0 no difference, 1 differences
(each is printed), 2 the comparison could not be made.
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The engine's version is that of the lock file; any other proves nothing.
ENGINE = re.search(r'name = "yara-x"\nversion = "([^"]+)"', (ROOT / "Cargo.lock").read_text())[1]

# As `EXTERNAL_VARIABLES` of the engine crate; all are strings.
VARIABLES = (
    "filename filepath extension filetype md5 owner group filemode timezone language osversion "
    "unpack_parent unpack_source"
).split()

# Where files are picked from: programs, libraries, scripts, documents, archives,
# sources. What is absent is passed over.
PLACES = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/share/doc",
    "/usr/share",
    "/etc",
    str(Path.home() / ".cargo/registry/src"),
]
SIZE_MAX = 8 << 20


def main():
    arguments = parse_arguments()
    shared = Path(os.environ.get("SQUALL_SHARED", ROOT.parent / "shared"))
    rules = shared / "signature-base"
    if not rules.is_dir():
        print(f"skipped: `{rules}` is absent; the starter signatures are used")
        rules = ROOT / "config/signatures"
    files = pick(arguments.count, shared)
    if len(files) < arguments.count:
        fail(f"there are {len(files)} files to pick from, {arguments.count} are wanted")
    print(f"{len(files)} files, rules of {rules.name}, engine {ENGINE}, reference {arguments.reference}")
    ours = squall(arguments.squall, rules, files)
    reference = {"python": with_python, "yr": with_yr}[arguments.reference]
    theirs = reference(arguments, rule_files(rules), ours)
    return report(ours, theirs)


def parse_arguments():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", choices=["python", "yr"], default="python")
    parser.add_argument("--count", type=int, default=300, help="how many files")
    parser.add_argument("--squall", type=Path, default=target / "release/examples/matching_rules")
    parser.add_argument("--yr", default="yr", help="the engine's command line")
    return parser.parse_args()


def pick(count, shared):
    """Picks files spread evenly over what there is, the same each time."""
    groups = []
    for place in [*PLACES, str(shared)]:
        found = []
        for folder, folders, names in os.walk(place):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                # A path is a line of a list, and text in a variable.
                if path.isprintable() and os.path.isfile(path) and not os.path.islink(path):
                    if 0 < os.path.getsize(path) <= SIZE_MAX and os.access(path, os.R_OK):
                        found.append(path)
            if len(found) > 200_000:
                break
        groups.append(found)
    # From small places all, from large ones an even share.
    picked = set()
    left = count
    for index, found in enumerate(sorted(groups, key=len)):
        share = min(len(found), left // (len(groups) - index))
        picked.update(found[at * len(found) // share] for at in range(share))
        left -= share
    # Places lie in one another: what was picked twice is made up for.
    for path in max(groups, key=len):
        if len(picked) >= count:
            break
        picked.add(path)
    return sorted(picked)


def rule_files(rules):
    """The rule files in the order Squall reads them."""
    found = (path for path in rules.rglob("*") if path.suffix.lower() in (".yar", ".yara"))
    hidden = lambda path: any(part.startswith(".") for part in path.relative_to(rules).parts)
    return sorted(path for path in found if path.is_file() and not hidden(path))


def squall(program, rules, files):
    """What Squall says: path -> its answer."""
    run = subprocess.run(
        [program, rules], input="\n".join(files) + "\n", capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        fail(f"`{program}` failed: {run.stderr.strip()[-2000:]}")
    for line in run.stderr.splitlines():
        print(f"squall left out: {line}")
    answers = {answer["path"]: answer for answer in map(json.loads, run.stdout.splitlines())}
    if len(answers) != len(files):
        fail(f"squall answered for {len(answers)} of {len(files)} files")
    return answers


def with_python(_arguments, sources, answers):
    """What the engine's Python package says: path -> sorted rule names."""
    import importlib.metadata

    import yara_x

    version = importlib.metadata.version("yara-x")
    if version != ENGINE:
        fail(f"the Python package has the engine {version}, expected {ENGINE}")
    compiler = yara_x.Compiler(relaxed_re_syntax=True)
    for name in VARIABLES:
        compiler.define_global(name, "")
    for path in sources:
        compiler.new_namespace(str(path))
        try:
            compiler.add_source(path.read_text(encoding="utf-8"), origin=str(path))
        except yara_x.CompileError as error:
            print(f"reference left out of {path.name}: {str(error).splitlines()[0]}")
    rules = compiler.build()
    theirs = {}
    for path, answer in answers.items():
        # A new one for each file: nothing of the file before can be left in it.
        scanner = yara_x.Scanner(rules)
        for name, value in answer["variables"].items():
            scanner.set_global(name, value)
        results = scanner.scan(Path(path).read_bytes())
        theirs[path] = sorted(
            rule.identifier for rule in results.matching_rules if not for_memory(rule.metadata)
        )
    return theirs


def with_yr(arguments, sources, answers):
    """What the engine's command line says: path -> sorted rule names."""
    version = subprocess.run([arguments.yr, "--version"], capture_output=True, text=True, check=True)
    if ENGINE not in version.stdout:
        fail(f"`{arguments.yr}` is `{version.stdout.strip()}`, expected {ENGINE}")
    with tempfile.TemporaryDirectory() as folder:
        compiled = os.path.join(folder, "rules.yarc")
        defines = [f"--define={name}=\"\"" for name in VARIABLES]
        named = [f"{number}:{path}" for number, path in enumerate(sources)]
        command = [arguments.yr, "compile", "--relaxed-re-syntax", "--ignore-invalid-rules", "--output", compiled, *defines, *named]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            fail(f"yr compile failed: {made.stderr.strip()[-2000:]}")

        def scan(answer):
            defined = [f"--define={name}={json.dumps(value)}" for name, value in answer["variables"].items()]
            run = subprocess.run(
                [arguments.yr, "scan", "--compiled-rules", "--output-format=ndjson", "--print-meta",
                 "--threads=1", *defined, compiled, answer["path"]],
                capture_output=True, text=True, check=False,
            )
            if run.returncode != 0:
                fail(f"yr scan {answer['path']} failed: {run.stderr.strip()[-2000:]}")
            rules = [rule for line in run.stdout.splitlines() for rule in json.loads(line)["rules"]]
            return sorted(rule["identifier"] for rule in rules if not for_memory(rule.get("meta", ())))

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(answers, pool.map(scan, answers.values())))


def for_memory(metadata):
    """Tells whether a rule is for the memory of processes."""
    return any(key.lower() == "type" and str(value).lower() == "memory" for key, value in metadata)


def report(ours, theirs):
    differences = 0
    matches = 0
    for path, answer in ours.items():
        matches += len(theirs[path])
        if answer["rules"] != theirs[path] or answer["incomplete"]:
            differences += 1
            only_ours = [rule for rule in answer["rules"] if rule not in theirs[path]]
            only_theirs = [rule for rule in theirs[path] if rule not in answer["rules"]]
            print(f"different: {path} {answer['variables']}")
            print(f"  only squall: {only_ours}, only reference: {only_theirs}, {answer['incomplete']}")
    print(f"{len(ours)} files, {matches} matches, {differences} differences")
    # Without any match the comparison would prove nothing.
    if matches == 0:
        fail("no rule matched any file")
    return 1 if differences else 0


def fail(reason):
    print(f"cannot compare: {reason}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    sys.exit(main())
