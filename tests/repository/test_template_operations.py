"""Alarms and dashboard of template.yaml, and the text that says what to do about them."""

import json
import re

from tests.repository.markdown import anchors
from tests.repository.source_files import ROOT
from tests.repository.template import DEPLOYED, OF_JOBS, RESOURCES, of_type


def test_every_alarm_says_what_to_do():
    text = (ROOT / "docs/how-to/operations.md").read_text(encoding="utf-8")
    for name in of_type("AWS::CloudWatch::Alarm"):
        properties = RESOURCES[name]["Properties"]
        link = re.search(r"docs/how-to/operations\.md#([\w-]+)", properties["AlarmDescription"])
        assert link[1] in anchors(text), name
        assert properties["TreatMissingData"] == "notBreaching"
        assert {"AlarmActions", "OKActions"} <= properties.keys()


def test_the_dashboard_shows_every_function_of_jobs_and_alarm():
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    assert json.loads(re.sub(r"\$\{[^}]*\}", "x", body))["widgets"]
    assert all(f"${{{name}}}" in body for name in OF_JOBS)
    alarms = of_type("AWS::CloudWatch::Alarm") - {"ReplayShardErrorsAlarm"}
    assert all(f"${{{name}.Arn}}" in body for name in alarms)


def test_only_this_stacks_metrics_are_watched():
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    ours = re.findall(r'"GroundTruthConsolidation", "\w+", (.*?), "service"', body)
    assert len(ours) == body.count('"GroundTruthConsolidation"')
    assert set(ours) == {'"stack", "${AWS::StackName}"'}
    for name in of_type("AWS::CloudWatch::Alarm"):
        for query in RESOURCES[name]["Properties"].get("Metrics", []):
            metric = query.get("MetricStat", {}).get("Metric", {})
            if metric.get("Namespace") == "GroundTruthConsolidation":
                stack = {"Name": "stack", "Value": {"Ref": "AWS::StackName"}}
                assert stack in metric["Dimensions"]


def test_metrics_that_are_watched_are_metrics_that_are_made():
    source = (ROOT / "layers/groundtruth/python/groundtruth/observability.py").read_text("utf-8")
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    watched = set(re.findall(r'"GroundTruthConsolidation", "(\w+)"', body))
    assert watched
    assert {name for name in watched if f'"{name}"' not in source} == set()


def test_a_share_of_the_time_limit_is_of_the_functions_own():
    queries = {entry["Id"]: entry for entry in RESOURCES["SlowAlarm"]["Properties"]["Metrics"]}
    seen = set()
    for name in [name for name in queries if name.startswith("duration")]:
        (dimension,) = queries[name]["MetricStat"]["Metric"]["Dimensions"]
        function = dimension["Value"]["Ref"]
        limit = DEPLOYED[function]["Timeout"]
        limit = f"${{{limit['Ref']}}}" if isinstance(limit, dict) else limit
        expression = queries[name.replace("duration", "percent")]["Expression"]
        if isinstance(expression, dict):
            expression = expression["Fn::Sub"]
        assert expression == f"FILL({name}, 0) / {limit} / 10"
        seen.add(function)
    assert seen == OF_JOBS
