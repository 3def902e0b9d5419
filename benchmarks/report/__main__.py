"""Makes docs/benchmarks.md and its plots from the results in docs/benchmarks/*.json.

python -m benchmarks.report [--results FOLDER] [--output FILE]
"""

import argparse
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader, Template

from benchmarks.classification import birds, gold, methods, multi_label, selection
from benchmarks.common import scores
from benchmarks.common.record import RESULTS, ROOT
from benchmarks.report import figures, plots
from benchmarks.report.figures import load_records
from benchmarks.report.plots import draw_plots
from benchmarks.scaling import __main__ as curves
from benchmarks.scaling import case as synthesis
from benchmarks.segmentation import drawings, quality
from groundtruth.aggregation.classification import posterior
from groundtruth.settings import Settings

PARTS = ("opening", "summary", *figures.RECORDS)
CODE = SimpleNamespace(
    birds=birds,
    curves=curves,
    gold=gold,
    posterior=posterior,
    drawings=drawings,
    masks=quality,
    multi_label=multi_label,
    plots=plots,
    scores=scores,
    selection=selection,
    settings=Settings(),
    speed=methods,
    synthesis=synthesis,
)
"""Modules whose constants the page states."""


def render_page(records: Mapping[str, Any], *, parts: Collection[str] = PARTS) -> str:
    """The page's text."""
    there = {name: figures.expand(records.get(name)) for name in figures.RECORDS}
    show = {name: bool(there.get(name)) and name in parts for name in PARTS}
    measured = any(found for name, found in there.items() if name != "sources")
    show |= {name: measured and name in parts for name in ("opening", "summary")}
    show["sources"] &= measured or len(parts) < len(PARTS)
    text = _template().render(**there, show=show)
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


@cache
def _template() -> Template:
    # Markdown, not HTML: nothing is escaped.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= vars(figures)
    environment.globals |= {"code": CODE, "AWS": birds.AWS, "TASKS": plots.TASKS}
    environment.filters["sort_as_text"] = lambda rows: sorted(
        rows, key=lambda row: str(row["call_size"])
    )
    environment.filters["answers_head"] = figures.answers
    environment.filters["three"] = figures.number
    environment.filters["general"] = "{:g}".format
    environment.tests["match_peer"] = methods.is_peer
    return environment.get_template("page.md.jinja")


PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Write the page and its plots."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--output", type=Path, default=PAGE)
    options = parser.parse_args()
    records = load_records(options.results)
    options.output.write_text(render_page(records), encoding="utf-8")
    draw_plots(records, options.output.parent / "benchmarks")


if __name__ == "__main__":
    main()
