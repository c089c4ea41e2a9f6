"""`deploy/monitoring`: what Prometheus and Grafana are given asks for metrics that are there."""

import json
import re
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.documents import blocks
from support.places import REPOSITORY
from support.rules import MARKER
from support.service import Service, running

FOLDER = REPOSITORY / "deploy" / "monitoring"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="`promtool` is not installed (Debian's package prometheus)")


@pytest.fixture(scope="module")
def squall(tmp_path_factory, rules):
    """A service with a receiver, away as it is: without any there are no metrics of receivers."""
    service = Service(tmp_path_factory.mktemp("squall"), "--signatures", str(rules), "--syslog", "127.0.0.1:9:CEF:TCP")
    with running(service):
        yield service


def promtool(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [PROMTOOL, *arguments], cwd=FOLDER, input=text, capture_output=True, text=True, timeout=240
    )


def expressions() -> dict[str, list[str]]:
    """Every expression of the dashboard and of the alerts, by the name of what it is for."""
    dashboard = json.loads((FOLDER / "squall.dashboard.json").read_text())
    found = {
        panel["title"]: [target["expr"] for target in panel["targets"]]
        for panel in dashboard["panels"]
        if panel["type"] != "row"
    }
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found[variable["name"]] = [variable["query"]["query"]]
    rules = re.findall(r"alert: (\w+)\n\s+expr: (.*)", (FOLDER / "alerts.yml").read_text())
    return found | {name: [expression] for name, expression in rules}


def series(squall) -> dict[str, set[str]]:
    """The names of the series that a service gives, with those of their labels."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(squall.get("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_metric_and_label_that_is_asked_for_is_there(squall):
    squall.check(MARKER)
    there = series(squall)
    labels = set().union(*there.values()) | {"job", "instance"}
    asked = 0
    for name, expressions_ in expressions().items():
        for expression in expressions_:
            metrics = set(re.findall(r"\b(?:squall|process)_[a-z_]+", expression))
            assert metrics or expression.startswith("up{"), f"{name}: {expression}"
            assert metrics <= set(there), f"{name}: {metrics - set(there)}"
            asked += len(metrics)
            inside = re.findall(r"([a-z_]+)\s*=~?\"", expression)
            grouped = re.findall(r"by \(([^)]*)\)", expression)
            used = set(inside) | {label.strip() for group in grouped for label in group.split(",")}
            assert used <= labels, f"{name}: no label {used - labels}"
    assert asked > 40


@needs_promtool
def test_the_text_is_as_prometheus_wants_it(squall):
    squall.check(MARKER)
    done = promtool("check", "metrics", text=squall.get("/metrics").text)
    assert done.returncode == 0 and not done.stdout + done.stderr, done.stdout + done.stderr


@needs_promtool
def test_the_configuration_and_the_alerts_are_valid_and_do_what_they_say():
    for arguments in (("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")):
        done = promtool(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_what_is_told_of_certificates_and_tokens_is_valid(tmp_path):
    """What stands in the configuration to be uncommented, and what the documentation has of it."""
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    text = (FOLDER / "prometheus.yml").read_text()
    all_set = re.sub(r"(?m)^(    )# (?=\S+:( |$)|  )", r"\1", text)
    assert "\n    authorization:" in all_set and "\n    tls_config:" in all_set
    [documented] = [block for block in blocks("security.md", "yaml") if block.startswith("scrape_configs:")]
    for file in ("squall-token", "squall.pem"):
        (tmp_path / file).touch()
    for number, config in enumerate((all_set, documented)):
        path = tmp_path / f"{number}.yml"
        path.write_text(config.replace("/etc/prometheus", str(tmp_path)))
        done = promtool("check", "config", str(path))
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_its_tests():
    """Each is tested to be silent when all is well and to fire when it is not."""
    alerts = re.findall(r"alert: (\w+)", (FOLDER / "alerts.yml").read_text())
    tests = (FOLDER / "alerts_test.yml").read_text()
    silent, loud = tests.split("# One that is not")
    for alert in alerts:
        assert f"alertname: {alert}}}" in silent, alert
        assert re.search(rf"alertname: {alert}\n\s+exp_alerts:", loud), alert


def test_every_panel_has_its_place():
    """No two panels overlap, and none is wider than the page."""
    panels = json.loads((FOLDER / "squall.dashboard.json").read_text())["panels"]
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
