"""Findings exported as STIX and MISP, read by the libraries of those who take them."""

import json
import subprocess

import pytest
import stix2
from pymisp import MISPEvent

from support.places import BINARY
from support.service import wait_until
from support.shapes import as_pictures, digests
from test_json_forms import HOSTILE, NAME, SAMPLES
from support.rules import MARKER


@pytest.fixture(scope="module")
def found(tmp_path_factory, rules):
    """A stopped service that found every kind of thing; its data directory."""
    from support.service import Service, running, wait_until
    with running(Service(tmp_path_factory.mktemp("squall"), "--signatures", str(rules))) as service:
        for content, name in SAMPLES:
            service.check(content, name, source="web-01")
        service.check(MARKER, NAME, source="web-02")
        wait_until(lambda: service.json("/api/v1/findings?limit=200")["findings"].__len__() >= len(SAMPLES) + 1, 10,
                   "all findings in the store")
    return service.data


def export(data, form: str, *conditions) -> str:
    made = subprocess.run([str(BINARY), "findings", "export", "--format", form, "--data-dir", data, *conditions],
                          capture_output=True, text=True, timeout=60, check=True)
    return made.stdout


def findings(data, *conditions) -> list[dict]:
    return [json.loads(line) for line in export(data, "jsonl", *conditions).splitlines()]


def of_type(bundle, kind: str) -> list:
    return [each for each in bundle.objects if each["type"] == kind]


def test_a_stix_bundle_is_one_to_its_library(found):
    text = export(found, "stix")
    bundle = stix2.parse(text, allow_custom=False)
    objects = {each["id"]: each for each in bundle.objects}
    assert len(objects) == len(bundle.objects), "an object is there twice"
    everything = findings(found)
    assert len(of_type(bundle, "observed-data")) == len(everything)
    assert len(of_type(bundle, "sighting")) == sum(1 for each in everything if each["reasons"])
    for each in bundle.objects:
        references = [each[key] for key in each if key.endswith("_ref")]
        references += [one for key in each if key.endswith("_refs") for one in each[key]]
        assert all(reference in objects for reference in references), each
    names = {each["name"] for each in of_type(bundle, "file")}
    assert as_pictures(HOSTILE).rsplit("\\", 1)[1] in names and "a.exe" in names
    [indicator] = [each for each in of_type(bundle, "indicator") if digests(MARKER)["sha256"] in each["pattern"]]
    assert indicator["pattern"] == f"[file:hashes.'SHA-256' = '{digests(MARKER)['sha256']}']"
    # Found on two machines: one indicator, sighted twice.
    sighted = [each for each in of_type(bundle, "sighting") if each["sighting_of_ref"] == indicator["id"]]
    places = {objects[each["where_sighted_refs"][0]]["name"] for each in sighted}
    assert places == {"web-01", "web-02"}


def test_ids_of_observables_are_those_of_the_library(found):
    """The specification says how to make them, so that those of two producers meet."""
    bundle = stix2.parse(export(found, "stix"))
    for each in of_type(bundle, "file") + of_type(bundle, "directory"):
        made = dict(each)
        own = made.pop("id")
        again = (stix2.v21.File if each["type"] == "file" else stix2.v21.Directory)(**made)
        assert again["id"] == own, each


def test_the_same_findings_are_the_same_objects(found):
    assert export(found, "stix") == export(found, "stix")
    assert export(found, "misp") == export(found, "misp")
    alerts = stix2.parse(export(found, "stix", "--level", "Alert"))
    everything = {each["id"] for each in stix2.parse(export(found, "stix")).objects}
    assert {each["id"] for each in alerts.objects} <= everything
    assert len(alerts.objects) < len(everything)


def test_a_misp_event_is_one_to_its_library(found):
    event = MISPEvent()
    event.from_json(export(found, "misp"))
    everything = findings(found)
    assert len(event.objects) == len(everything)
    assert event.distribution == 0 and not event.published
    by_name = {}
    for each in event.objects:
        assert each.name == "file"
        # Fails for a relation that the template does not have.
        assert each.template_uuid == "688c46fb-5edb-40a3-8273-1af7923e2215"
        relations = {attribute.object_relation: attribute for attribute in each.attributes}
        by_name[relations["filename"].value] = (each, relations)
    assert len({each.uuid for each in event.objects}) == len(event.objects)
    file, relations = by_name["a.exe"]
    assert relations["sha256"].value == digests(MARKER)["sha256"] and not relations["sha256"].to_ids
    assert any(each[1]["sha256"].to_ids for each in by_name.values() if "sha256" in each[1]), "no Alert"
    assert relations["fullpath"].value == NAME
    assert not relations["filename"].to_ids
    assert "E2E_Marker" in file.comment
    # The library takes blanks off values.
    assert as_pictures(HOSTILE).rsplit("\\", 1)[1].strip() in by_name


def test_relations_are_those_of_the_template(found):
    """Strict, the library knows the template of the object and its relations."""
    from pymisp import MISPObject
    event = json.loads(export(found, "misp"))["Event"]
    for each in event["Object"]:
        template = MISPObject("file", strict=True)
        for attribute in each["Attribute"]:
            made = template.add_attribute(attribute["object_relation"], value=attribute["value"])
            assert made.type == attribute["type"], attribute


def test_an_export_of_nothing_is_valid_too(found):
    nothing = ("--source", "nobody")
    assert len(stix2.parse(export(found, "stix", *nothing)).objects) == 1
    event = MISPEvent()
    event.from_json(export(found, "misp", *nothing))
    assert event.objects == []


def test_the_service_writes_the_same_documents(start):
    service = start()
    service.check(MARKER, NAME, source="web-01")
    wait_until(lambda: service.json("/api/v1/findings")["findings"], 10, "the finding in the store")
    for form, library in (("stix", stix2.parse), ("misp", lambda text: MISPEvent().from_json(text))):
        text = service.get(f"/api/v1/findings/export?format={form}").text
        library(text)
        assert text == export(service.data, form)
