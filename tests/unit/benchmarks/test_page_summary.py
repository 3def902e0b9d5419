"""The beginning of docs/benchmarks.md."""

import json
import re

from benchmarks.page import PAGE, RECORDS
from benchmarks.page_summary import contents, summary
from benchmarks.run_record import RESULTS, table


def result(name):
    return json.loads((RESULTS / f"{name}.json").read_text())


def test_each_link_of_the_page_leads_to_a_section():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    linked = [line for line in lines if re.match(r"- \[.*\]\(#", line)]
    assert linked == [line for line in contents(lines) if line]
    assert len(linked) == sum(line.startswith("## ") for line in lines)


def test_a_link_is_spelled_as_the_heading_is_called():
    assert contents(["## AWS's rule, and its (old) price", "### below"]) == [
        "- [AWS's rule, and its (old) price](#awss-rule-and-its-old-price)",
        "",
    ]


def test_all_questions_of_the_full_results_are_answered():
    text = "\n".join(summary({name: result(name) for name in RECORDS}))
    for said in ("AUROC", "accuracy, mean of", "calibration error", "one call", "masks fused"):
        assert said in text


def test_what_was_not_measured_is_left_out():
    speed = result("classification-speed")
    columns = tuple(speed["times"]["columns"])
    large = {**speed, "times": table([{"answers": 10**6, "classes": 10}], columns)}
    assert summary({"classification-speed": large}) == []
    assert summary({}) == []


def test_the_ratio_is_that_of_the_times():
    columns = ("answers", "classes", "method", "cpu_seconds")
    rows = [
        {"answers": 450, "classes": 10, "method": "calibrated", "cpu_seconds": 0.002},
        {"answers": 450, "classes": 10, "method": "ck-dawid-skene-20-rounds", "cpu_seconds": 0.2},
    ]
    text = "\n".join(summary({"classification-speed": {"times": table(rows, columns)}}))
    assert "2.0 ms" in text
    assert "100 times" in text
