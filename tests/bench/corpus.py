"""The files that are scanned: a choice of what a Debian machine has, the same each time.

Nothing is copied. A list names the files where they are; the fleet is a plan of uploads over such a list.
"""

import hashlib
import os
from pathlib import Path

from context import Missing

PLACES = ["/usr/bin", "/usr/sbin", "/usr/lib", "/usr/include", "/usr/share", "/etc"]
SIZE_MAX = 20 << 20

# How many of each kind; a kind of which there are too few leaves its rest to the libraries.
WANTED = {
    "executable": 600,
    "library": 900,
    "script": 900,
    "text": 1600,
    "archive": 700,
    "document": 500,
    "image": 400,
}
FILES_MIN, BYTES_MIN = 5000, 500 << 20

HOSTS, FILES_PER_HOST, SHARED_SHARE = 200, 200, 0.95

ENDINGS = {
    "script": {".sh", ".py", ".pl", ".rb", ".js", ".php", ".ps1", ".lua", ".tcl", ".awk"},
    "text": {".txt", ".md", ".conf", ".cfg", ".h", ".hpp", ".c", ".xml", ".json", ".yaml", ".csv", ".po", ".list"},
    "archive": {".gz", ".zip", ".xz", ".bz2", ".zst", ".tar", ".jar", ".whl", ".deb", ".a", ".egg"},
    "document": {".pdf", ".html", ".htm", ".rtf", ".doc", ".docx", ".ps", ".odt", ".xhtml"},
    "image": {".png", ".jpg", ".jpeg", ".gif", ".ico", ".svg", ".bmp", ".xpm", ".tiff"},
}


def files(context):
    """The files of the corpus, in the order in which they are sent: mixed."""
    if "files" not in context.cache:
        context.cache["files"] = choose(context.size(1.0, 0.2, 0.01), context.smoke)
    return context.cache["files"]


def size_bytes(paths):
    return sum(os.path.getsize(path) for path in paths)


def choose(share, smoke):
    kinds = {kind: [] for kind in WANTED}
    for path in walk():
        kind = kind_of(path)
        if kind:
            kinds[kind].append(path)
    chosen, contents, seen = [], set(), set()
    for kind, paths in kinds.items():
        take(spread(paths, int(WANTED[kind] * share) + 1), chosen, contents, seen)
    # What is missing is made up for with libraries, the largest kind there is.
    wanted_files, wanted_bytes = FILES_MIN * share, BYTES_MIN * share
    rest = [path for path in kinds["library"] if path not in seen]
    for path in spread(rest, len(rest)):
        if len(chosen) >= wanted_files and size_bytes_of(chosen) >= wanted_bytes:
            break
        take([path], chosen, contents, seen)
    if not smoke and (len(chosen) < wanted_files or size_bytes_of(chosen) < wanted_bytes):
        raise Missing(f"this machine has only {len(chosen)} files, {size_bytes_of(chosen) >> 20} MB of the kinds wanted")
    chosen.sort(key=lambda entry: hashlib.sha256(entry[0].encode()).digest())
    return [path for path, _ in chosen]


def size_bytes_of(chosen):
    return sum(size for _, size in chosen)


def take(paths, chosen, contents, seen):
    """Adds the paths whose content is new."""
    for path in paths:
        seen.add(path)
        try:
            content = Path(path).read_bytes()
        except OSError:
            continue
        digest = hashlib.sha256(content).digest()
        if content and digest not in contents:
            contents.add(digest)
            chosen.append((path, len(content)))


def spread(paths, count):
    """`count` of the paths, evenly over all of them."""
    count = min(count, len(paths))
    return [paths[at * len(paths) // count] for at in range(count)]


def walk():
    for place in PLACES:
        for folder, folders, names in os.walk(place):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if not path.isprintable() or not path.isascii() or os.path.islink(path) or not os.path.isfile(path):
                    continue
                if 0 < os.path.getsize(path) <= SIZE_MAX and os.access(path, os.R_OK):
                    yield path


def kind_of(path):
    name = os.path.basename(path)
    if ".so" in name and path.startswith("/usr/lib"):
        return "library"
    ending = os.path.splitext(name)[1].lower()
    for kind, endings in ENDINGS.items():
        if ending in endings:
            return kind
    if path.startswith(("/usr/bin/", "/usr/sbin/")):
        with open(path, "rb") as file:
            return "executable" if file.read(4) == b"\x7fELF" else "script"
    return None


def describe(context):
    """One line that tells two machines' corpora apart."""
    paths = files(context)
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path} {os.path.getsize(path)}\n".encode())
    kinds = {}
    for path in paths:
        kinds[kind_of(path)] = kinds.get(kind_of(path), 0) + 1
    parts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"corpus: {len(paths)} different files, {size_bytes(paths) / 1e6:.0f} MB ({parts}); list {digest.hexdigest()[:16]}"


def plain_list(context, name, paths):
    """Writes one path a line; returns the file."""
    path = context.dir / name
    path.write_text("".join(f"{entry}\n" for entry in paths))
    return path


def upload_list(context, name, paths):
    """Writes the paths as uploads of one source; returns the file."""
    path = context.dir / name
    path.write_text("".join(f"bench\t\t{entry}\n" for entry in paths))
    return path


def fleet_list(context, name):
    """Writes what the hosts of a fleet send: 95 % of each host's files are on all hosts, the rest on it alone.

    The hosts take turns, as they do when all of them are collected at the same time. Returns the file, the number of
    uploads and that of different contents.
    """
    hosts = context.size(HOSTS, 100, 4)
    each = context.size(FILES_PER_HOST, 100, 20)
    paths = files(context)
    shared = spread(paths, min(int(each * SHARED_SHARE), len(paths)))
    own = spread(paths, each - len(shared))
    lines = []
    for at in range(each):
        for host in range(hosts):
            if at < len(shared):
                lines.append(f"host-{host:03}\t\t{shared[at]}\n")
            else:
                lines.append(f"host-{host:03}\tof host {host}\t{own[at - len(shared)]}\n")
    path = context.dir / name
    path.write_text("".join(lines))
    return path, len(lines), len(shared) + hosts * len(own)
