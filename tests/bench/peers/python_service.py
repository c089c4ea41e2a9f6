"""The service somebody would write in an afternoon: one file in, the names of the rules that match out."""

import hashlib
import os
from pathlib import Path

import yara_x
from fastapi import FastAPI, UploadFile


def load():
    compiler = yara_x.Compiler()
    for name in os.environ["BENCH_VARIABLES"].split():
        compiler.define_global(name, "")
    for at, path in enumerate(Path(os.environ["BENCH_RULES"]).read_text().splitlines()):
        compiler.new_namespace(str(at))
        compiler.add_source(Path(path).read_text(errors="replace"), origin=path)
    return yara_x.Scanner(compiler.build())


scanner = load()
app = FastAPI()


@app.post("/api/check")
async def check(file: UploadFile, source: str = ""):
    content = await file.read()
    scanner.set_global("filename", os.path.basename(file.filename or ""))
    scanner.set_global("extension", os.path.splitext(file.filename or "")[1].lower())
    results = scanner.scan(content)
    if not results.matching_rules:
        return []
    return [
        {
            "source": source,
            "file": file.filename,
            "md5": hashlib.md5(content).hexdigest(),
            "sha1": hashlib.sha1(content).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
            "matches": [rule.identifier for rule in results.matching_rules],
        }
    ]
