"""The pages are what their generator makes of the committed results, and those are small."""

import json
import re
from xml.etree import ElementTree as ET

import pytest

from benchmarks.common.record import RESULTS, ROOT
from benchmarks.report.__main__ import PAGE, SUMMARY, render_page, render_summary
from benchmarks.report.figures import RECORDS, interval, load_records, number, signed
from benchmarks.report.plots import PLOTS, draw_plots

pytestmark = pytest.mark.slow

LARGEST_RESULTS = 600_000
MEASURED = [name for name in RECORDS if name != "sources"]


def test_the_pages_are_what_the_generator_makes():
    records = load_records(RESULTS)
    page = render_page(records)
    summary = render_summary(records, page)
    assert PAGE.read_text(encoding="utf-8") == page, "run python -m benchmarks.report"
    assert SUMMARY.read_text(encoding="utf-8") == summary, "run python -m benchmarks.report"


@pytest.mark.parametrize("page", [SUMMARY, PAGE])
def test_every_plot_of_a_page_is_there(page):
    shown = re.findall(r"!\[[^\]]+\]\((\S+)\)", page.read_text(encoding="utf-8"))
    assert shown
    assert [name for name in shown if not (page.parent / name).is_file()] == []


def test_results_are_small():
    assert sum(path.stat().st_size for path in RESULTS.glob("*.json")) < LARGEST_RESULTS


@pytest.mark.parametrize("name", MEASURED)
def test_a_section_names_its_command_what_is_not_shown_and_where_we_lose(name):
    text = render_page({name: load_records(RESULTS)[name]})
    for said in ("Made by `python -m benchmarks.", "*not* shown", "Where we lose"):
        assert said in text


@pytest.mark.parametrize("name", MEASURED)
def test_make_bench_makes_every_result(name):
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nbench:")[2]
    recipe = recipe.partition("\n\n")[0]
    run = load_records(RESULTS)[name]["run"]
    command = re.match(r"python -m [\w.]+(?: --only \w+)?", run["command"])[0]
    assert re.search(rf"/{re.escape(command)}(\s|$)", recipe)


def test_without_results_there_is_only_the_opening(tmp_path):
    text = render_page(load_records(tmp_path))
    assert text.startswith("# Benchmarks: all tables\n")
    assert "\n## " not in text


def test_plots_show_on_light_and_on_dark(tmp_path):
    draw_plots(load_records(RESULTS), tmp_path)
    for file, _ in PLOTS.values():
        assert ET.parse(tmp_path / file).getroot().tag.endswith("svg"), file
        text = (tmp_path / file).read_text(encoding="utf-8")
        colors = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", text))
        assert colors, file
        for color in colors - {"#ffffff"}:
            red, green, blue = bytes.fromhex(color[1:])
            light = (0.299 * red + 0.587 * green + 0.114 * blue) / 255
            assert 0.25 < light < 0.75, (file, color)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0.01234, "+0.012", id="more"),
        pytest.param(-0.01234, "-0.012", id="less"),
        pytest.param(-0.0001, "0.000", id="nothing"),
        pytest.param(None, "-", id="unknown"),
    ],
)
def test_differences_carry_their_sign(value, text):
    assert signed(value) == text


def test_a_number_that_is_not_there_is_a_dash():
    assert number(None) == "-"
    assert interval({"a": 0.5, "a_low": 0.25, "a_high": None}, "a") == "0.500 [0.250, -]"


def test_masks_are_left_out_until_they_are_measured():
    assert "Masks" not in render_page({})


def test_masks_show_what_was_measured_and_where_we_lose():
    run = json.loads((RESULTS / "birds.json").read_text(encoding="utf-8"))["run"]
    case = {"kind": "fusion", "size": "1080p-k11-n5", "before_mb": 40.0, "peak_mb": 44.2}
    speed = {
        "run": run,
        "cases": [case | {"name": "ours", "cpu_ms": 5.61}, case | {"name": "x", "cpu_ms": 2.0}],
        "ratios": [{"figure": "fusion", "ratio": 7.456, "target": "at least 8"}],
    }
    line = {
        "crowd": "lidc n3",
        "mean_iou": {"majority": 0.9},
        "differences": {"weighted": {"gain": -0.02, "gain_low": -0.03, "gain_high": -0.01}},
        "confidence": {"error": 0.047, "bias": 0.01, "spearman": 0.8},
    }
    quality = {"run": run, "crowds": [line]}
    text = render_page({"masks": speed, "mask_quality": quality}, parts=MEASURED)
    assert "| ours | fusion | 1080p-k11-n5 | 5.6 | 4 | 44 |" in text
    lost = "fusion: 7.46, the aim is at least 8; x is 2.8 times as fast in fusion, 1080p-k11-n5."
    assert lost in text
    assert "torch.mode was not run" in text
    assert "| lidc n3 | 0.900 | -0.020 [-0.030, -0.010] | 0.047 | +0.010 | 0.800 |" in text
    assert "lidc n3, `weighted` (-0.020 [-0.030, -0.010])" in text
