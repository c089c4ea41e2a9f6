"""The command line of the bench; `run` beside this file starts it."""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import corpus
import machine
import parts
import peers
import table
from context import Context, Missing

ROOT = Path(__file__).resolve().parents[2]


def main():
    arguments = parse_arguments()
    if arguments.list:
        print("\n".join(f"{name:10} {part.__doc__.splitlines()[0]}" for name, part in parts.ALL.items()))
        return 0
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
    if not arguments.no_build:
        build()
    context = Context.make(ROOT, target, arguments)
    # Two runs would remove each other's data directories.
    lock = open(context.dir / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another run uses `{context.dir}`")
    began = time.monotonic()
    facts = machine.facts(ROOT)
    path = arguments.output or context.dir / "performance.md"

    def write(rows, notes):
        duration = ("duration", f"{(time.monotonic() - began) / 60:.0f} min")
        path.write_text(table.markdown(rows, notes, [*facts, duration], context))

    rows, notes = measure(context, arguments.only or list(parts.ALL), write)
    print()
    print(table.text(rows))
    for note in notes:
        print(f"- {note}")
    print(f"\nwritten: {path}")
    failed = any(note.startswith("FAILED") for note in notes) or any(row.broken for row in rows)
    return 1 if failed else 0


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures Squall and its peers.")
    parser.add_argument("--quick", action="store_true", help="fewer files and rounds")
    parser.add_argument("--smoke", action="store_true", help="the least of everything: only that it works")
    parser.add_argument("--only", action="append", choices=list(parts.ALL), help="this part only; may be repeated")
    parser.add_argument("--list", action="store_true", help="name the parts")
    parser.add_argument("--rounds", type=int, help="how often each thing is measured")
    parser.add_argument("--no-build", action="store_true", help="use the programs as they are")
    parser.add_argument("--output", type=Path, help="where the Markdown goes")
    return parser.parse_args()


def build():
    """Builds all that is measured, with the features the service has."""
    command = ["cargo", "build", "--locked", "--release", "--workspace", "--bins", "--examples"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        sys.exit("the build failed")


def measure(context, names, write):
    """Runs the parts; what cannot be measured here is a note, not a failure. Writes what there is after each."""
    rows, notes = [], []
    notes.append(corpus.describe(context))
    for name in names:
        began = time.monotonic()
        print(f"== {name}: {parts.ALL[name].__doc__.splitlines()[0]}", flush=True)
        folder = context.dir / "now"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            measured = parts.ALL[name](context)
        except Missing as missing:
            notes.append(f"not measured: {name}: {missing}")
            print(f"   {notes[-1]}", flush=True)
            continue
        except RuntimeError as error:
            notes.append(f"FAILED: {name}: {str(error).splitlines()[0]}")
            print(f"   FAILED: {error}", flush=True)
            continue
        finally:
            peers.stop_all()
        for row in measured:
            print(f"   {row.line()}", flush=True)
        rows.extend(measured)
        write(rows, notes + context.notes)
        print(f"   ({time.monotonic() - began:.0f} s)", flush=True)
    shutil.rmtree(context.dir / "now", ignore_errors=True)
    write(rows, notes + context.notes)
    return rows, notes + context.notes


if __name__ == "__main__":
    sys.exit(main())
