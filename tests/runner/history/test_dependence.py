"""How far workers' errors go together, as `explain`, `replay` and `report` tell it."""

import json
import re
from pathlib import Path

import pytest

from groundtruth.tasks.base import Dependence, Label
from labeljob.commands.explain import explain
from labeljob.commands.replay import replay
from labeljob.commands.report import report
from labeljob.metrics.dependence import FEW_PAIRS, summarize_dependence
from tests.batches import dependent_answers, independent_answers
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow

OBJECTS = 600
PAIRS_OF_FIVE = (OBJECTS - 1) * 10
PAIRS_OF_SIX = (OBJECTS - 1) * 15


def make_job(folder, answers):
    """A job's folder with answers and no manifest."""
    for at, said in enumerate(answers.values()):
        answer = {worker: on_disk.chosen(name) for worker, name in said.items()}
        on_disk.write(on_disk.response_path(folder, str(at)), on_disk.response(answer))
    return folder


@pytest.fixture(scope="module")
def independent(tmp_path_factory):
    """A job of workers who err independently."""
    return make_job(tmp_path_factory.mktemp("jobs") / "alone", independent_answers(OBJECTS))


@pytest.fixture(scope="module")
def dependent(tmp_path_factory):
    """A job of workers who err on the same objects."""
    return make_job(tmp_path_factory.mktemp("jobs") / "together", dependent_answers(OBJECTS))


def json_of(command, *arguments):
    outcome = run(command, *arguments, "--json")
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


def shown(command, *arguments):
    """What the terminal shows, on one line."""
    outcome = run(command, *arguments)
    assert outcome.exit_code == 0, outcome.output
    return re.sub(r"\s+", " ", outcome.stderr)


def page_of(tmp_path, *arguments):
    """What the page says of it, without tags, on one line; empty if nothing."""
    path = tmp_path / "page.html"
    outcome = run(report, *arguments, "-o", path, "--gallery", "0")
    assert outcome.exit_code == 0, outcome.output
    part = path.read_text(encoding="utf-8").partition("How far errors go together")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", part.partition("</section>")[0])).strip()


def test_of_independent_workers_it_is_near_0(independent, tmp_path):
    result = json_of(explain, independent, "3", "--all-at-once")["dependence"]
    assert result["dependence"] < 0.15
    assert (result["pairs"], result["earlier-pairs"]) == (PAIRS_OF_FIVE, 0)
    whole = json_of(replay, independent, "-o", tmp_path / "out")["dependence"]
    assert whole["highest"] < 0.15
    assert (whole["labels"], whole["pairs"]) == (OBJECTS, PAIRS_OF_FIVE)
    page = page_of(tmp_path, independent)
    assert "Workers err independently, so each answer counted in full." in page
    assert "It was found from 5,990 pairs of answers to the same data object." in page


def test_of_workers_who_err_together_it_is_1(dependent, tmp_path):
    result = json_of(explain, dependent, "3", "--all-at-once")["dependence"]
    assert result["dependence"] == 1
    assert result["pairs"] == PAIRS_OF_SIX
    whole = json_of(replay, dependent, "-o", tmp_path / "out")["dependence"]
    assert (whole["lowest"], whole["highest"], whole["pairs"]) == (1, 1, PAIRS_OF_SIX)
    page = page_of(tmp_path, dependent)
    assert page.startswith("dependence of errors, from 0 to 1 1.00")
    assert "Workers’ errors were taken to go together, so agreeing answers counted for less" in page  # noqa: RUF001


def test_the_confidence_lies_between_those_of_both_ends(independent, dependent):
    for folder in (independent, dependent):
        result = json_of(explain, folder, "1", "--all-at-once")
        effect = result["dependence"]
        low, high = effect["confidence-if-dependent"], effect["confidence-if-independent"]
        assert low <= effect["confidence"] <= high
        assert low < high
        assert effect["confidence"] == result["result"]["confidence"]
        share = (high - effect["confidence"]) / (high - low)
        assert share == pytest.approx(effect["dependence"], abs=1e-3)


def test_a_terminal_shows_what_it_does_and_means(independent, dependent):
    text = shown(explain, independent, "3", "--all-at-once")
    for part in (
        "How far errors go together",
        "if they were independent",
        "if they went together",
        "0: workers err independently, and each answer counts in full",
        "from 5,990 pairs of answers to the same data object, none of them to this one",
    ):
        assert part in text
    assert "what is usual of crews" not in text
    text = shown(replay, dependent)
    assert "dependence of errors 1.00" in text
    assert "from 8,985 pairs of answers" in text


def test_few_pairs_are_said_to_be_few(zoo, tmp_path):
    assert f"with fewer than {FEW_PAIRS:,}, what is usual of crews counts for more" in shown(
        explain, zoo, "1", "--algorithm", "calibrated"
    )
    page = page_of(tmp_path, zoo, "--algorithm", "calibrated")
    assert f"Too few answers tell how workers err (it takes some {FEW_PAIRS:,} pairs)." in page
    assert "It was found from 9 pairs of answers to the same data object." in page


def test_what_kept_skill_teaches_from_call_to_call_is_told(tmp_path):
    answers = list(independent_answers(100).values())
    job = make_job(tmp_path / "job", independent_answers(100))
    for call, first in enumerate(range(0, 100, 25)):
        said = {
            str(at): {worker: on_disk.chosen(name) for worker, name in answers[at].items()}
            for at in range(first, first + 25)
        }
        on_disk.write(on_disk.request_path(job, f"2026-03-02_10:0{call}:00"), on_disk.request(said))
    whole = json_of(replay, job, "--calls", "--keep-skill", "-o", tmp_path / "out")
    told = whole["dependence"]
    assert (told["pairs"], told["earlier-pairs"]) == (750 + 24 * 10, 750)
    assert told["lowest"] + 0.05 < told["highest"]
    assert told["lowest"] <= told["with-most-pairs"] < told["highest"]
    on_disk.write(
        job / "manifests/output/output.manifest",
        Path(whole["manifests"]["object.manifest"]).read_text(encoding="utf-8"),
    )
    page = page_of(tmp_path, job)
    assert f"{told['lowest']:.2f} to {told['highest']:.2f}" in page
    assert "up to 990 pairs of answers to the same data object, 750 of them of earlier" in page


@pytest.mark.parametrize("algorithm", ["weighted", "dawid-skene", "ebcc", "majority", "builtin"])
def test_of_other_algorithms_nothing_is_told(zoo, tmp_path, algorithm):
    option = ("--algorithm", algorithm)
    result = json_of(explain, zoo, "1", *option)
    assert (result["dependence"], result["dependence-in-manifest"]) == (None, None)
    assert json_of(replay, zoo, *option, "-o", tmp_path / "out")["dependence"] is None
    assert "ependence" not in shown(replay, zoo, *option, "-o", tmp_path / "out")
    assert "rrors go together" not in shown(explain, zoo, "1", *option)
    assert page_of(tmp_path, zoo, *option) == ""


def test_of_labels_that_do_not_tell_it_a_report_tells_nothing(zoo, tmp_path):
    assert page_of(tmp_path, zoo) == ""
    assert json_of(report, zoo, "-o", tmp_path / "page.html")["dependence"] is None


def test_what_the_manifest_s_label_was_made_with_is_shown_beside_it(zoo, tmp_path):
    result = json_of(replay, zoo, "--algorithm", "calibrated", "-o", tmp_path / "out")
    text = Path(result["manifests"]["object.manifest"]).read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        line["animal"]["algorithm"] |= {
            "dependence": 0.25, "correlation": 0.035, "pairs": 4000, "earlier-pairs": 3991,
        }  # fmt: skip
    on_disk.write_manifest(zoo, lines)
    told = json_of(explain, zoo, "1", "--algorithm", "calibrated")["dependence-in-manifest"]
    assert (told["dependence"], told["pairs"], told["earlier-pairs"]) == (0.25, 4000, 3991)
    assert (
        "the label in the manifest was made from 4,000 pairs of answers to the same data object, "
        "3,991 of them of earlier batches; what those taught is not known here"
    ) in shown(explain, zoo, "1", "--algorithm", "calibrated")
    page = page_of(tmp_path, zoo)
    assert page.startswith("dependence of errors, from 0 to 1 0.25 correlation of errors 0.035")
    assert "Workers’ errors were taken to go together in part" in page  # noqa: RUF001
    assert "3,991 of them of earlier batches" in page


def test_of_several_labels_it_is_told_as_well(tmp_path):
    votes = {str(at): {"ann": ["cat"], "bob": ["cat"], "cy": ["dog", "cat"]} for at in range(6)}
    job = on_disk.make_multi_label_job(tmp_path / "zoo", votes, [["cat"]] * 6)
    effect = json_of(explain, job, "1", "--algorithm", "calibrated")["dependence"]
    assert effect["dependence"] == 1
    assert effect["confidence"] == effect["confidence-if-dependent"]
    assert effect["confidence"] < effect["confidence-if-independent"]
    page = page_of(tmp_path, job, "--algorithm", "calibrated")
    assert "The confidences of 6 labels were made with this dependence" in page
    assert page_of(tmp_path, job) == ""


def label(value, pairs):
    return Label(task="image-classification", dependence=Dependence(
        value=value, correlation=value / 10, pairs=pairs, earlier_pairs=pairs // 2
    ))  # fmt: skip


def test_a_summary_is_of_the_labels_that_tell_it():
    labels = [label(0.2, 100), Label(task="image-classification"), label(0.8, 300)]
    found = summarize_dependence(labels)
    assert (found.labels, found.pairs, found.earlier_pairs) == (2, 300, 150)
    assert (found.value, found.lowest, found.highest) == (0.5, 0.2, 0.8)
    assert found.best_known == 0.8
    assert summarize_dependence(labels[1:2]) is None
