"""The shapes of answers: what every key of a finding must be, in both generations."""

import hashlib
import json
import re

import jsonschema

from support.places import REPOSITORY

LEVELS = {
    "Alert": "Malware file found",
    "Warning": "Possibly Dangerous file found",
    "Notice": "Noteworthy file found",
}
INCOMPLETE = "File not scanned completely"
SIGNATURE_KINDS = {
    "YARA Rule", "Filename IOC", "Hash IOC", "STIX IOC", "Keyword IOC", "Domain IOC", "Sigma Rule",
    "Internal Heuristic",
}
CONTEXT_KEYS = {"ext", "file", "firstBytes", "md5", "sha1", "sha256", "size", "type", "sample_id", "reasons_count"}
MATCH_KEYS = {
    "rulename", "reason", "ref", "ruledate", "author", "subscore", "tags", "matched", "sigclass", "sigtype",
}
V3_KEYS = {"type", "meta", "message", "subject", "score", "reasons", "reason_count", "context", "log_version"}


def digests(content: bytes) -> dict:
    """Returns the three digests of `content`."""
    return {name: hashlib.new(name, content).hexdigest() for name in ("md5", "sha1", "sha256")}


def first_bytes(content: bytes) -> str:
    """Returns the `firstBytes` of `content`."""
    start = content[:20]
    return f"{start.hex()} / {''.join(chr(b) for b in start if 0x20 <= b < 0x7F)}"


def as_pictures(name: str) -> str:
    """Returns `name` with the symbols for its control characters.

    A header may not hold control characters; a name that has them raw is shown
    with these in their place rather than refused.
    """
    return name.translate({**{code: 0x2400 + code for code in range(0x20)}, 0x7F: 0x2421})


def _is(value, kind, where: str):
    assert isinstance(value, kind) and not (kind is int and isinstance(value, bool)), f"{where}: {value!r}"


def check_v0(finding: dict, content: bytes, name: str) -> dict:
    """Checks a finding of generation 0 on `content` sent as `name`; returns it."""
    assert set(finding) == {"level", "module", "message", "score", "context", "matches"}
    assert LEVELS[finding["level"]] == finding["message"]
    assert finding["module"] == "Filescan"
    _is(finding["score"], int, "score")
    assert 0 < finding["score"] <= 100
    context = finding["context"]
    assert set(context) == CONTEXT_KEYS, set(context) ^ CONTEXT_KEYS
    assert context["file"] == name
    assert context["size"] == len(content)
    assert {key: context[key] for key in ("md5", "sha1", "sha256")} == digests(content)
    assert context["firstBytes"] == first_bytes(content)
    _is(context["type"], str, "type")
    assert 0 < context["sample_id"] < 2**53
    assert context["reasons_count"] == len(finding["matches"]) > 0
    subscores = [match["subscore"] for match in finding["matches"]]
    assert subscores == sorted(subscores, reverse=True)
    for match in finding["matches"]:
        assert set(match) == MATCH_KEYS, set(match) ^ MATCH_KEYS
        for key in ("rulename", "reason", "ref", "ruledate", "author", "sigclass", "sigtype"):
            _is(match[key], str, key)
        _is(match["subscore"], int, "subscore")
        for key in ("tags", "matched"):
            assert all(isinstance(item, str) for item in match[key]), match[key]
        assert match["sigclass"] in SIGNATURE_KINDS
        assert match["sigtype"] in {"internal", "custom", "external"}
    return finding


def check_v3(finding: dict, content: bytes, name: str, source: str | None = None) -> dict:
    """Checks the v3 log form of a finding on `content` sent as `name`; returns it."""
    check_schema(finding)
    assert V3_KEYS <= set(finding) <= V3_KEYS | {"issues"}, set(finding) ^ V3_KEYS
    assert finding["type"] == "THOR finding"
    assert finding["log_version"] == "v3.0.0"
    assert finding["message"] == LEVELS[finding["meta"]["level"]]
    _check_meta(finding["meta"], source)
    _check_subject(finding["subject"], content, name)
    _is(finding["score"], int, "score")
    assert 0 <= finding["score"] <= 100
    assert finding["reason_count"] == len(finding["reasons"])
    for reason in finding["reasons"]:
        _check_reason(reason, content)
    assert finding["context"] is None or isinstance(finding["context"], list)
    return finding


_V3 = jsonschema.Draft202012Validator(json.loads((REPOSITORY / "openapi" / "finding-v3.schema.json").read_text()),
                                      format_checker=jsonschema.FormatChecker())


def check_schema(finding: dict) -> dict:
    """Checks a finding in the v3 log form against its JSON Schema; returns it."""
    errors = [f"{error.json_path}: {error.message}" for error in _V3.iter_errors(finding)]
    assert not errors, errors
    return finding


def _check_meta(meta: dict, source: str | None):
    required = {"time", "level", "module", "scan_id", "hostname"}
    assert required <= set(meta) <= required | {"event_id"}, set(meta) ^ required
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)", meta["time"]), meta["time"]
    assert meta["module"] == "Filescan"
    _is(meta["scan_id"], str, "scan_id")
    if source is not None:
        assert meta["hostname"] == source


def _check_subject(subject: dict, content: bytes, name: str):
    required = {"type", "path", "exists", "extension", "magic_header", "hashes", "first_bytes", "size",
                "permissions", "content"}
    assert required <= set(subject) <= required | {"unpack_source", "pe_info"}, set(subject) ^ required
    assert subject["type"] == "file"
    assert subject["path"] == name
    assert subject["exists"] == "yes"
    assert subject["hashes"] == digests(content)
    hexadecimal, _, printable = first_bytes(content).partition(" / ")
    assert subject["first_bytes"] == {"hex": hexadecimal, "ascii": printable}
    assert subject["size"] == len(content)
    assert subject["permissions"] is None
    _check_sparse(subject["content"], content)


def _check_sparse(sparse: dict, content: bytes):
    assert set(sparse) == {"type", "elements", "length"}
    assert sparse["type"] == "sparse data"
    assert sparse["length"] == len(content)
    end = 0
    for element in sparse["elements"]:
        assert set(element) == {"offset", "data"}
        data = _bytes(element["data"])
        assert element["offset"] >= end, "elements overlap or are out of order"
        end = element["offset"] + len(data)
        assert content[element["offset"]:end] == data


def _check_reason(reason: dict, content: bytes):
    assert set(reason) == {"type", "summary", "signature", "matched"}, set(reason)
    assert reason["type"] == "reason"
    _is(reason["summary"], str, "summary")
    signature = reason["signature"]
    required = {"score", "reference", "origin", "kind"}
    optional = {"date", "tags", "rule_name", "description", "author", "id", "false_positives"}
    assert required <= set(signature) <= required | optional, set(signature) ^ required
    _is(signature["score"], int, "score")
    _is(signature["reference"], list, "reference")
    assert signature["origin"] in {"internal", "custom", "external"}
    assert signature["kind"] in SIGNATURE_KINDS
    for match in reason["matched"] or []:
        assert {"data", "offset", "field"} <= set(match) <= {"data", "offset", "field", "context"}, set(match)
        assert match["field"].startswith("/")
        if match["field"] == "/content":
            data = _bytes(match["data"])
            assert content[match["offset"]:][:len(data)] == data


def _bytes(data: dict) -> bytes:
    assert set(data) == {"data", "encoding"}, data
    if data["encoding"] == "plain":
        return data["data"].encode()
    assert data["encoding"] == "hex", data
    return bytes.fromhex(data["data"])


def check_error(answer, status: int | tuple, generation: str = "/api") -> str:
    """Checks an error answer of a generation; returns what it says."""
    allowed = status if isinstance(status, tuple) else (status,)
    assert answer is not None, "closed without an answer"
    code = getattr(answer, "status", None) or answer.status_code
    text = answer.text
    assert code in allowed, f"{code}: {text[:500]}"
    found = answer.json()
    if generation == "/api":
        assert set(found) == {"reason", "message"}, found
        assert found["reason"] == found["message"]
    else:
        assert set(found) == {"message"}, found
    assert found["message"].strip(), "an error without words"
    return found["message"]
