#!/usr/bin/env python3
"""Writes the JSON Schema of a finding in the v3 log form, `openapi/finding-v3.schema.json`.

It is made of the OpenAPI document, whose schemas are those of JSON Schema 2020-12, so that the two cannot differ.
"""

import json
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = REPOSITORY / "openapi" / "squall.json"
SCHEMA = REPOSITORY / "openapi" / "finding-v3.schema.json"
PREFIX = "#/components/schemas/"
ROOT = "v1.Finding"
# Texts of which the contract says more than that they are texts.
WORDS = {
    ("v1.Finding", "type"): {"const": "THOR finding"},
    ("v1.Finding", "log_version"): {"const": "v3.0.0"},
    ("v1.Meta", "level"): {"enum": ["Alert", "Warning", "Notice"]},
    ("v1.Meta", "time"): {"format": "date-time"},
    ("v1.Reason", "type"): {"const": "reason"},
    ("v1.Signature", "origin"): {"enum": ["internal", "custom", "external"]},
    ("v1.Signature", "kind"): {"enum": ["YARA Rule", "Filename IOC", "Hash IOC", "STIX IOC", "Keyword IOC",
                                        "Domain IOC", "Sigma Rule", "Internal Heuristic"]},
    ("v1.Hashes", "md5"): {"pattern": "^[0-9a-f]{32}$"},
    ("v1.Hashes", "sha1"): {"pattern": "^[0-9a-f]{40}$"},
    ("v1.Hashes", "sha256"): {"pattern": "^[0-9a-f]{64}$"},
    ("v1.File", "type"): {"const": "file"},
    ("v1.File", "exists"): {"const": "yes"},
    ("v1.Content", "type"): {"const": "sparse data"},
    ("v1.Issue", "category"): {"enum": ["truncated", "encrypted", "limit", "corrupt", "timeout", "unsupported",
                                        "unreadable"]},
}


def references(schema):
    """Yields the names of the schemas that one refers to."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.removeprefix(PREFIX)
            else:
                yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def adapted(name, schema):
    """Returns a schema with its references within this document, and nothing allowed that it does not name."""
    text = json.dumps(schema).replace(PREFIX, "#/$defs/")
    schema = json.loads(text)
    if "properties" in schema:
        schema["additionalProperties"] = False
        for key, more in WORDS.items():
            if key[0] == name:
                schema["properties"][key[1]].update(more)
    return schema


def make():
    """Returns the schema."""
    schemas = json.loads(DOCUMENT.read_text())["components"]["schemas"]
    wanted, found = [ROOT], {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = adapted(name, schemas[name])
            wanted += references(schemas[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://github.com/squall-scan/squall/openapi/finding-v3.schema.json",
        "title": "A finding in the v3 log form",
        "$ref": f"#/$defs/{ROOT}",
        "$defs": dict(sorted(found.items())),
    }


def text() -> str:
    """Returns the text of the file."""
    return json.dumps(make(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text())
