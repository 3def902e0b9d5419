"""Makes docs/benchmarks.md and its plots from the results in docs/benchmarks/*.json.

    python -m benchmarks.page [--results FOLDER] [--output FILE]

Nothing on the page is typed: a figure that was not measured is not there.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.page_birds import birds_section
from benchmarks.page_masks import masks_section
from benchmarks.page_others import multi_label_section, speed_section
from benchmarks.page_plots import draw_birds, draw_reliability, draw_speed
from benchmarks.page_quality import quality_section
from benchmarks.page_replay import replay_section
from benchmarks.peers_environment import ROOT
from benchmarks.run_record import RESULTS

PAGE = ROOT / "docs" / "benchmarks.md"

SECTIONS: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "birds": birds_section,
    "classification-quality": quality_section,
    "classification-replay": replay_section,
    "multi-label": multi_label_section,
    "classification-speed": speed_section,
}
PLOTS: Mapping[str, tuple[str, Callable[[Mapping[str, Any], Path], None]]] = {
    "birds": ("birds.svg", draw_birds),
    "classification-quality": ("reliability.svg", draw_reliability),
    "classification-speed": ("speed.svg", draw_speed),
}

OPENING = [
    "# Benchmarks",
    "",
    "This page is made by `python -m benchmarks.page` from the results in "
    "[docs/benchmarks](benchmarks); nothing on it is typed.",
    "Each section says which command makes its figures, what is compared, what is not shown, and "
    "where we lose.",
    "FOLDER in a command is a folder with the public data sets, which are not part of this "
    "project.",
    "",
    "Quality is exact: a second run gives the same figures, but for peers that were cut off after "
    "some CPU seconds.",
    "Times are CPU times on one thread of a shared machine: only ratios within one run mean "
    "something elsewhere.",
    "Every peer runs in processes and an environment of its own, in the same run.",
    "AWS's own code is not measured, only its published results and our copy of its rule "
    "(`builtin`).",
    "",
]


def page(results: Path) -> str:
    """The page's text.

    Parameters
    ----------
    results : Path
        Folder of the results. A section whose file is not there is left out.
    """
    lines = list(OPENING)
    for name, section in SECTIONS.items():
        record = _read(results, name)
        if record is not None:
            lines += section(record)
    lines += masks_section(_read(results, "segmentation"), _read(results, "segmentation-quality"))
    return "\n".join(lines).rstrip() + "\n"


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
