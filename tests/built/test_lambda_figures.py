"""The Lambda benchmark measures the functions as built."""

from benchmarks.common.record import rows_of, run_record
from benchmarks.lambdas.__main__ import BUILD, Effort, lambda_figures
from benchmarks.lambdas.emulated import example_case, observe, serving
from benchmarks.report.__main__ import render_page

PRE = "pre_image_multi_class"


def test_a_start_and_its_calls_are_observed(tmp_path):
    case = example_case(PRE, tmp_path / "example")
    with serving(case) as environment:
        seen = observe(case, BUILD, environment, n_warm=3)
    assert len(seen.warm_ms) == 3
    assert min(seen.init_ms, seen.first_ms, *seen.warm_ms) > 0
    assert 20 < seen.process_mb < 200


def test_without_s3_no_client_is_opened(tmp_path):
    case = example_case(PRE, tmp_path / "example")
    seen = observe(case, BUILD, None, n_warm=1)
    assert seen.process_mb < 40


def test_everything_that_the_page_shows_is_measured():
    effort = Effort(starts=1, calls=4, imports=1, sizes=(1769,))
    found = lambda_figures([PRE], effort)
    assert [row["memory_mb"] for row in rows_of(found["rates"])] == [256, 1769]
    assert {row["objects_from"] for row in rows_of(found["warm"])} == {"S3", "folder"}
    page = render_page(
        {"lambdas": {"run": run_record("benchmarks.x", {}, seed=1)} | found}, parts=["lambdas"]
    )
    assert "| `pre_image_multi_class` | 256 (its own) |" in page
