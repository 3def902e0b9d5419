"""Parts of docs/benchmarks.md on labels, speed, plots and data, from small results."""

import json
import re

import pytest

from benchmarks.common.record import RESULTS, table
from benchmarks.common.scores import N_BINS
from benchmarks.report.__main__ import render_page
from benchmarks.report.figures import folded
from benchmarks.report.plots import FEWEST_IMAGES, merged

RUN = json.loads((RESULTS / "birds.json").read_text(encoding="utf-8"))["run"]


def section(name, record):
    """One part of the page."""
    return render_page({name: record}, parts=[name])


def quality(values, votes="all", *, differences=None, more=()):
    """A result with one set on which methods have some value of every measure."""
    names = ("accuracy", "macro_f1", "ece", "ece_equal_mass", "log_loss", "brier", "auroc")
    rows = [
        {"set": "ducks", "votes": votes, "method": method} | dict.fromkeys(names, value)
        for method, value in values.items()
    ]
    rows += [rows[0] | changed for changed in more]
    record = {
        "run": RUN,
        "averaged": ["ducks"],
        "cut_off": [],
        "scores": table(rows, list(rows[0])),
        "differences": differences or table([], ["votes", "method"]),
    }
    return section("quality", record)


def differences(*names):
    """A peer's differences to majority, of some measures."""
    row = {"votes": "all", "method": "ck-wawa"}
    for place, name in enumerate(names, start=1):
        row |= {name: place / 10, f"{name}_low": place / 20, f"{name}_high": place / 5}
    return table([row], list(row))


@pytest.mark.parametrize(
    ("ours", "lost"),
    [
        pytest.param(0.9, ("ECE", "Brier"), id="too-sure"),
        pytest.param(0.3, ("accuracy", "AUROC"), id="too-often-wrong"),
        pytest.param(0.505, (), id="hardly"),
    ],
)
def test_losses_are_told_of_every_measure_and_number_of_answers(ours, lost):
    for votes, words in (("all", "all answers"), (7, "7 answers per item")):
        text = quality({"calibrated": ours, "ck-wawa": 0.5}, votes)
        for measure in ("accuracy", "ECE", "Brier", "AUROC"):
            said = f"on 1 of 1 sets, most on ducks ({ours:.3f}; crowd-kit Wawa 0.500)"
            expected = said if measure in lost else "nowhere"
            assert f"- {words}, {measure}: {expected}" in text


def test_means_have_macro_f1():
    text = quality({"calibrated": 0.5}, more=[{"method": "ck-wawa", "macro_f1": 0.321}])
    assert "| method | accuracy | macro F1 | ECE |" in text
    assert "| crowd-kit Wawa | 0.500 | 0.321 | 0.500 |" in text


def test_only_differences_that_were_measured_are_shown():
    values = {"calibrated": 0.5, "ck-wawa": 0.5}
    text = quality(values, differences=differences("accuracy", "brier"))
    assert "| difference to `majority` | accuracy [95 %] | Brier [95 %] |\n" in text
    assert "| crowd-kit Wawa | +0.100 [+0.050, +0.200] | +0.200 [+0.100, +0.400] |" in text
    assert "are moved so that" not in text
    text = quality(values, differences=differences("accuracy", "macro_f1", "ece", "auroc"))
    assert "macro F1 [95 %] | ECE [95 %] | AUROC [95 %] |\n" in text
    assert "Those of macro F1, ECE, AUROC are moved so that" in text
    assert "difference to" not in quality(values)


def test_what_slow_peers_never_run_with_is_told():
    more = [{"votes": votes} for votes in (1, 7)] + [{"method": "ck-glad"}]
    text = quality({"calibrated": 0.5}, 3, more=more)
    said = "Never run with 1 and 7 answers per item, on any set, to save time (`--slow-votes`): "
    assert f"{said}crowd-kit GLAD.\n" in text
    assert "Never run" not in quality({"calibrated": 0.5}, 3, more=more[2:])


def test_only_few_numbers_of_answers_are_open():
    assert "### Means with 3 answers per item" in quality({"calibrated": 0.5}, 3)
    assert "<summary>Means with 7 answers per item</summary>\n\n| " in quality(
        {"calibrated": 0.5}, 7
    )


def test_what_is_typed_says_so():
    assert (
        "This paragraph alone is typed; it is from [decisions.md](../explanation/decisions.md)."
        in quality({"calibrated": 0.5})
    )


def test_several_labels_are_judged_by_every_measure():
    names = ("macro_f1", "micro_f1", "jaccard", "subset_accuracy", "log_loss", "brier", "ece")
    rows = [
        {"set": "a", "answers": 3, "method": method, "cpu_seconds": 0.1}
        | dict.fromkeys(names, value)
        for method, value in (("multi-label", 0.7), ("majority", 0.5))
    ]
    record = {"run": RUN, "scores": table(rows, list(rows[0]))}
    record["differences"] = table([], ["set", "answers", "method"])
    text = section("multi_label", record)
    for word in ("log loss", "Brier", "ECE"):
        assert f"- {word}: a, 3 answers (0.700; `majority` of each label 0.500)" in text
    for word in ("macro F1", "micro F1", "Jaccard", "subset accuracy"):
        assert f"- {word}: nowhere" in text


def test_voting_is_not_compared_with_em():
    seconds = {
        "majority": 0.01,
        "calibrated": 0.02,
        "ck-majority": 0.05,
        "ck-dawid-skene-20-rounds": 1.0,
    }
    rows = [
        {"answers": 450, "classes": 10, "method": method, "cpu_seconds": value}
        | {"peak_before_mib": 1.0, "peak_after_mib": 2.0}
        for method, value in seconds.items()
    ]
    record = {"run": RUN, "times": table(rows, list(rows[0])), "exponents": []}
    lines = section("speed", record).splitlines()
    found = {
        cells[3]: cells[5] for cells in (re.split(r" ?\| ?", line) for line in lines) if cells[2:]
    }
    assert found["`majority` (the plain baseline)"] == "5.0"
    assert found["**`calibrated`** (default)"] == "50.0"
    assert found["crowd-kit MajorityVote"] == "-"


@pytest.mark.parametrize(
    ("items", "drawn"),
    [
        pytest.param([2, 1, 299], [302], id="few-and-few"),
        pytest.param([5, 297], [5, 297], id="enough"),
        pytest.param([300, 2], [302], id="few-at-the-end"),
        pytest.param([3], [3], id="nothing-beside-it"),
    ],
)
def test_dots_of_few_images_are_drawn_together(items, drawn):
    points = [
        {"items": n, "confidence": place / 4, "accuracy": 0.5} for place, n in enumerate(items)
    ]
    found = merged(points)
    assert [point["items"] for point in found] == drawn
    whole = sum(point["items"] * point["confidence"] for point in points)
    assert sum(point["items"] * point["confidence"] for point in found) == pytest.approx(whole)
    assert FEWEST_IMAGES == 5


def test_every_real_set_has_a_source():
    record = json.loads((RESULTS / "sources.json").read_text(encoding="utf-8"))
    sources = record["sets"]
    named = {entry["set"] for entry in sources}
    scores = json.loads((RESULTS / "classification-quality.json").read_text(encoding="utf-8"))
    used = {row[0] for row in scores["scores"]["rows"]}
    assert {name for name in used if not name.endswith("-crew")} <= named
    assert {"ml_affect20", "ml_medrel", "birds", "lidc", "bsds", "sffg"} <= named
    assert all(entry["source"] and "licence" in entry for entry in sources)
    assert section("sources", record).count("\n| ") == len(sources) + 1


def test_a_source_is_a_link_where_it_has_an_address():
    entry = {"set": "a", "what": "b", "source": "c", "licence": None}
    assert "| a | b | c | none stated |" in section("sources", {"sets": [entry]})
    linked = entry | {"url": "https://example.org/c", "cite": "D 2012", "licence": "MIT"}
    assert "| a | b | [c](https://example.org/c); D 2012 | MIT |" in section(
        "sources", {"sets": [linked]}
    )
    assert "## Data" not in section("sources", None)


def test_the_opening_tells_the_measures_where_there_are_figures():
    text = render_page({"birds": {"run": RUN}}, parts=["opening"])
    assert all(f"- *{word}*: " in text for word in ("AUROC", "ECE", "Brier", "Log loss"))
    assert f"over {N_BINS} bins" in text
    assert "*Brier*" not in render_page({}, parts=["opening"])


def test_what_is_folded_keeps_its_markdown():
    assert folded("More", "| a |\n") == (
        "<details>\n<summary>More</summary>\n\n| a |\n\n</details>"
    )
