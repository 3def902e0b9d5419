"""docs/benchmarks.md, which is read in three minutes."""

import re

import pytest

from benchmarks.common.record import RESULTS, table
from benchmarks.report.__main__ import PAGE, SUMMARY, render_summary
from benchmarks.report.figures import BATCH, contents, first_losses, load_records


def summary(records):
    """The table in the beginning; empty if nothing is answered."""
    return render_summary(records, "").partition("## In short")[2].partition("\n## ")[0]


def test_it_is_read_in_three_minutes():
    words = re.sub(r"\]\(\S+\)|[|*#`\[-]", " ", SUMMARY.read_text(encoding="utf-8")).split()
    assert len(words) < 3 * 330


@pytest.mark.parametrize(
    ("said", "first"),
    [
        pytest.param(": on a (0.1; x 0.2), b (0.3; x 0.4).", "on a (0.1; x 0.2)", id="example"),
        pytest.param(" (by 0.01):\n\n- Brier: a 0.5; b.\n", "Brier: a 0.5", id="list"),
        pytest.param(": it is 1.4 times as fast.", "it is 1.4 times as fast", id="sentence"),
    ],
)
def test_a_section_is_shown_with_its_first_loss(said, first):
    assert first_losses(f"# All\n\n## Speed\n\nWhere we lose{said}") == [("Speed", first)]
    assert first_losses("# All\n\n## Speed\n\nWhere we lose: nothing.") == []


def test_each_link_of_the_page_leads_to_a_section():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    linked = [line for line in lines if re.match(r"- \[.*\]\(#", line)]
    assert linked == contents("\n".join(lines)).splitlines()
    assert len(linked) == sum(line.startswith("## ") for line in lines)


def test_a_link_is_spelled_as_the_heading_is_called():
    assert contents("## AWS's rule, and its (old) price\n### below") == (
        "- [AWS's rule, and its (old) price](#awss-rule-and-its-old-price)"
    )


def test_all_questions_of_the_full_results_are_answered():
    text = summary(load_records(RESULTS))
    for said in ("AUROC", "accuracy", "calibration error", "one call", "1080p fused"):
        assert said in text


def test_what_was_not_measured_is_left_out():
    speed = load_records(RESULTS)["speed"]
    columns = tuple(speed["times"]["columns"])
    large = {**speed, "times": table([{"answers": 10**6, "classes": 10}], columns)}
    assert summary({"speed": large}) == ""
    assert summary({}) == ""


def test_the_ratio_is_that_of_the_times():
    columns = ("answers", "classes", "method", "cpu_seconds")
    rows = [
        {"answers": 450, "classes": 10, "method": "calibrated", "cpu_seconds": 0.002},
        {"answers": 450, "classes": 10, "method": "ck-dawid-skene-20-rounds", "cpu_seconds": 0.2},
        {"answers": 450, "classes": 10, "method": "calibrated-20-rounds", "cpu_seconds": 0.004},
    ]
    text = summary({"speed": {"times": table(rows, columns)}})
    assert "2.0 ms" in text
    assert "4.0 ms" in text
    assert "200 ms, 50 times ours at as many rounds" in text


def scored(columns, rows):
    return table([dict(zip(columns, row, strict=True)) for row in rows], columns)


def test_peers_that_limits_cut_off_stand_beside_ours_on_their_sets():
    rows = [
        (name, 3, method, accuracy, 1 - accuracy)
        for name, pairs in {
            "a": (("majority", 0.6), ("calibrated", 0.8), ("ck-wawa", 0.7), ("ck-glad", 0.75)),
            "b": (("majority", 0.6), ("calibrated", 0.9), ("ck-wawa", 0.7)),
        }.items()
        for method, accuracy in pairs
    ]
    scores = scored(("set", "votes", "method", "accuracy", "ece"), rows)
    text = summary({"quality": {"averaged": ["a", "b"], "scores": scores}})
    assert "the best of 1 peers: crowd-kit Wawa 0.700; crowd-kit GLAD" in text
    assert "crowd-kit GLAD 0.750 on the 1 it finished, ours there 0.800" in text


@pytest.mark.parametrize(
    ("ours", "said"),
    [pytest.param(0.4, True, id="lost"), pytest.param(0.1, False, id="won")],
)
def test_synthetic_crews_say_where_we_lose(ours, said):
    rows = [("one", "c", name, brier) for name, brier in (("ck-wawa", 0.2), ("limit", 0.1))]
    rows += [("one", "c", "majority", 0.5), ("one", "c", "calibrated", ours)]
    scores = scored(("task", "crew", "method", "brier"), rows)
    text = summary({"synthetic": {"scores": scores}})
    assert "the best of 1 peers: crowd-kit Wawa 0.200; the limit 0.100" in text
    assert (": here we lose" in text) is said


def test_kept_skill_and_the_price_of_a_call_are_told():
    columns = ("votes", "variant", "call_size", "share")
    gains = scored(columns, [("all", "kept", 10, 0.8), ("all", "fresh", 10, 0.1)])
    batch = ("acs_image_multi_class", BATCH, "S3", 12.34)
    costs = ("acs_image_multi_class", 1024, True, 7.5e-6)
    lambdas = {
        "warm": scored(("function", "input", "objects_from", "ms_p50"), [batch]),
        "costs": scored(("function", "memory_mb", "own", "usd_x86_64"), [costs]),
        "prices": {"objects": 1000},
    }
    text = summary({"replay": {"gains": gains}, "lambdas": lambdas})
    assert "| 80% (all answers) | without kept skill 10% (all answers) |" in text
    assert "12.3 ms (S3); 1,000 objects for 7.5 x 10^-6 $ at 1024 MB" in text
