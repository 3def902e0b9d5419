from xml.etree import ElementTree as ET

from benchmarks.report.__main__ import render_page
from benchmarks.report.plots import draw_masks
from benchmarks.segmentation.drawings import SIZES
from benchmarks.segmentation.speed import CASES, TARGETS

RUN = {
    "command": "python -m benchmarks.segmentation.speed",
    "seed": 7,
    "date": "2026-11-22",
    "machine": {"processor": "P", "cores": 2, "system": "Linux"},
    "versions": {"python": "3.13.0"},
}


def cases(*names):
    figures = {"kind": "fusion", "size": "1080p-k11-n5", "before_mb": 40.0, "peak_mb": 44.2}
    return [figures | {"name": name, "cpu_ms": 3.0 + at} for at, name in enumerate(names)]


def test_the_plot_shows_the_methods_that_were_run(tmp_path):
    path = tmp_path / "masks.svg"
    draw_masks({"cases": cases("ours", "SimpleITK LabelVoting")}, path)
    text = path.read_text(encoding="utf-8")
    assert ET.parse(path).getroot().tag.endswith("svg")
    assert "SimpleITK LabelVoting" in text
    assert "1080p-k11-n5" in text
    assert "torch" not in text


def test_torch_is_said_to_be_left_out_only_if_it_was():
    record = {"cases": cases("ours", "torch.mode"), "ratios": [], "run": RUN}
    assert "not run" not in render_page({"masks": record}, parts=["masks"])
    record["cases"] = cases("ours")
    assert "torch.mode was not run" in render_page({"masks": record}, parts=["masks"])


def test_targets_are_of_cases_that_are_measured():
    assert len(set(CASES)) == len(CASES)
    assert {size for _, _, size in CASES} <= set(SIZES)
    assert {case for _, first, second, _, _ in TARGETS for case in (first, second)} <= set(CASES)
