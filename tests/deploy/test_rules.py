import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.notify.why import ALERT_NAME
from tests.deploy.debian import DEPLOY, run
from tests.deploy.promql import complaints, labels_left

PROMETHEUS = DEPLOY / "prometheus"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"] for rule in group["rules"]
]
TESTED = yaml.safe_load((PROMETHEUS / "rules.test.yml").read_text())["tests"]
each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])


@each_rule
def test_a_rule_names_only_metrics_and_labels_that_there_are(rule: dict[str, Any]) -> None:
    assert list(complaints(rule["expr"])) == []


@each_rule
def test_a_rule_says_what_it_means_and_how_bad_it_is(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info", "none"}
    assert set(rule["annotations"]) == {"summary", "description"}
    assert rule["annotations"]["summary"].endswith(".")


@each_rule
def test_its_words_use_only_labels_the_alert_carries(rule: dict[str, Any]) -> None:
    used = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    assert used <= labels_left(rule["expr"])


@each_rule
def test_a_rule_has_a_test_in_which_it_fires(rule: dict[str, Any]) -> None:
    fires = [case["alertname"] for test in TESTED for case in test.get("alert_rule_test", ()) if case.get("exp_alerts")]
    assert rule["alert"] in fires


def test_something_always_fires() -> None:
    (watchdog,) = (rule for rule in RULES if rule["alert"] == "Watchdog")
    assert watchdog["expr"] == "vector(1)"
    assert "for" not in watchdog


def test_rules_do_not_repeat_what_headwater_posts_itself() -> None:
    assert ALERT_NAME not in {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("wrong", ["headwater_nothing", 'headwater_degraded{pipeline="p"}', "sum by (no) (up)"])
def test_a_metric_or_label_that_there_is_not_would_be_noticed(wrong: str) -> None:
    assert list(complaints(wrong))


def test_promtool_accepts_the_configuration() -> None:
    run("promtool", "check", "config", PROMETHEUS / "prometheus.yml")


def test_promtool_accepts_the_rules() -> None:
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", PROMETHEUS / "rules.yml")


def test_the_rules_hold_in_their_own_tests() -> None:
    assert "SUCCESS" in run("promtool", "test", "rules", Path("deploy/prometheus/rules.test.yml"))
