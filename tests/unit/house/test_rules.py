"""Prometheus' own judge on our rules and boards: promtool, from Debian's package `prometheus`, which .ci/run installs."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
RULES = ROOT / "dashboards" / "prometheus" / "rules.yml"
CASES = Path(__file__).parent / "rules_test.yml"
BOARDS = sorted((ROOT / "dashboards" / "grafana" / "boards").glob("*.json"))
PROMTOOL = shutil.which("promtool")
MADE = re.compile(
    r'(?:Counter|Gauge|Histogram)\(\s*"(fenghuo_\w+)",\s*(?:"[^"]*"\s*)+(?:,\s*\[([^\]]*)\])?', re.DOTALL
)
ADDED = {"job", "instance", "le"}
"""What Prometheus itself puts on a series, and on the buckets of a histogram."""

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None and not os.environ.get("CI"),
    reason="promtool is not here: install Debian's package prometheus; CI has it",
)


def run(*arguments: str | Path) -> None:
    """Run promtool; what it says is the failure."""
    assert PROMTOOL is not None, "promtool is missing in CI: .ci/run installs Debian's package prometheus"
    answer = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def rules() -> list[dict[str, Any]]:
    """Read our rules."""
    return [
        rule
        for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


def expressions() -> dict[str, str]:
    """Collect every query of rules and boards under a name of its own."""
    found = {f"rule_{rule['alert']}": rule["expr"] for rule in rules()}
    for board in BOARDS:
        for panel in json.loads(board.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                found[f"board_{board.stem}_{panel['id']}_{target['refId']}"] = target["expr"]
    return found


def labels_of_code() -> dict[str, set[str]]:
    """Find which labels the code puts on each metric."""
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for room in ("config", "streams", "responders", "dashboards")
        for path in (ROOT / room).rglob("*.py")
    )
    return {name: set(re.findall(r'"(\w+)"', labels)) for name, labels in MADE.findall(text)}


@needs_promtool
def test_every_query_is_promql(tmp_path: Path) -> None:
    """Rules with their templates, and each query of a board as if it were a rule."""
    run("check", "rules", RULES)
    records = [{"record": name, "expr": expr} for name, expr in expressions().items()]
    (tmp_path / "boards.yml").write_text(yaml.safe_dump({"groups": [{"name": "boards", "rules": records}]}))
    run("check", "rules", tmp_path / "boards.yml")


@needs_promtool
def test_alarms_speak_when_they_should(tmp_path: Path) -> None:
    """The cases of rules_test.yml, about labels and times; the words may be bettered without touching them."""
    bare = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for group in bare["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(bare))
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8")) | {"rule_files": ["rules.yml"]}
    (tmp_path / "cases.yml").write_text(yaml.safe_dump(cases))
    run("test", "rules", tmp_path / "cases.yml")


def test_every_alarm_has_a_case() -> None:
    """Each is seen to speak at least once."""
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]
    spoken = {case["alertname"] for test in cases for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert spoken == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize(("name", "expr"), expressions().items(), ids=expressions().keys())
def test_queries_use_labels_that_there_are(name: str, expr: str) -> None:
    """A query by a label that no metric has would show nothing, for ever."""
    known = labels_of_code()
    metrics = {re.sub(r"_(bucket|count|sum)$", "", found) for found in re.findall(r"\bfenghuo_\w+", expr)}
    assert metrics <= known.keys()
    allowed = ADDED.union(*(known[metric] for metric in metrics))
    used = {word for part in re.findall(r"by \(([^)]*)\)", expr) for word in re.findall(r"\w+", part)}
    used |= set(re.findall(r'(\w+)\s*(?:=~|!=|!~|=)\s*"', expr))
    assert used <= allowed
