"""Makes docs/benchmarks.md and its plots from the results in docs/benchmarks/*.json.

    python -m benchmarks.report [--results FOLDER] [--output FILE]

No figure on the page is typed, but for one paragraph that says so: what was not measured is not
there.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.common.environment import ROOT
from benchmarks.common.record import RESULTS
from benchmarks.report.birds import birds_section
from benchmarks.report.data import data_section
from benchmarks.report.gold import gold_section
from benchmarks.report.lambdas import lambda_section
from benchmarks.report.mask_plot import draw_masks
from benchmarks.report.masks import masks_section
from benchmarks.report.opening import opening
from benchmarks.report.others import multi_label_section, speed_section
from benchmarks.report.plots import draw_birds, draw_reliability, draw_speed
from benchmarks.report.quality import quality_section
from benchmarks.report.replay import replay_section
from benchmarks.report.scaling import scaling_section
from benchmarks.report.scaling_plots import draw_scaling
from benchmarks.report.summary import contents, summary
from benchmarks.report.synthetic import synthetic_section
from benchmarks.report.synthetic_plot import draw_synthetic

PAGE = ROOT / "docs" / "benchmarks.md"

SECTIONS: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "birds": birds_section,
    "classification-quality": quality_section,
    "classification-gold": gold_section,
    "classification-replay": replay_section,
    "multi-label": multi_label_section,
    "synthetic": synthetic_section,
    "classification-speed": speed_section,
    "scaling": scaling_section,
    "lambda": lambda_section,
}
PLOTS: Mapping[str, tuple[str, Callable[[Mapping[str, Any], Path], None]]] = {
    "birds": ("birds.svg", draw_birds),
    "classification-quality": ("reliability.svg", draw_reliability),
    "synthetic": ("synthetic.svg", draw_synthetic),
    "classification-speed": ("speed.svg", draw_speed),
    "scaling": ("scaling.svg", draw_scaling),
    "segmentation": ("masks.svg", draw_masks),
}

RECORDS = (*SECTIONS, "segmentation", "segmentation-quality")
SOURCES = "sources"
"""Where the data sets are from; a table that is not measured."""


def page(results: Path) -> str:
    """The page's text.

    Parameters
    ----------
    results : Path
        Folder of the results. A section whose file is not there is left out.
    """
    records = {name: record for name in RECORDS if (record := _read(results, name)) is not None}
    lines: list[str] = []
    for name, section in SECTIONS.items():
        if name in records:
            lines += section(records[name])
    lines += masks_section(records.get("segmentation"), records.get("segmentation-quality"))
    if lines:
        lines += data_section(_read(results, SOURCES))
    whole = [*opening(records), *summary(records), *contents(lines), *lines]
    return "\n".join(whole).rstrip() + "\n"


def draw_plots(results: Path, folder: Path) -> None:
    """Draw the plots of the results that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (file, draw) in PLOTS.items():
        record = _read(results, name)
        if record is not None:
            draw(record, folder / file)


def main() -> None:
    """Write the page and its plots."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--output", type=Path, default=PAGE)
    options = parser.parse_args()
    options.output.write_text(page(options.results), encoding="utf-8")
    draw_plots(options.results, options.output.parent / "benchmarks")


def _read(results: Path, name: str) -> Any:
    path = results / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


if __name__ == "__main__":
    main()
