"""Makes docs/benchmarks.md, all tables and plots from the results in docs/benchmarks/*.json.

python -m benchmarks.report [--results FOLDER] [--output FILE]
"""

import argparse
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader

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

PARTS = ("opening", *figures.RECORDS)
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
    """The text of the page with all tables."""
    there = _expand(records)
    show = {name: bool(there.get(name)) and name in parts for name in PARTS}
    measured = any(found for name, found in there.items() if name != "sources")
    show["opening"] = measured and "opening" in parts
    show["sources"] &= measured or len(parts) < len(PARTS)
    return _tidy(_templates().get_template("page.md.jinja").render(**there, show=show))


def render_summary(records: Mapping[str, Any], page: str) -> str:
    """The text of the page that is read in three minutes, with the losses of the other page."""
    lost = figures.first_losses(page)
    template = _templates().get_template("summary.md.jinja")
    return _tidy(template.render(**_expand(records), lost=lost))


def _expand(records: Mapping[str, Any]) -> dict[str, Any]:
    return {name: figures.expand(records.get(name)) for name in figures.RECORDS}


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _templates() -> Environment:
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
    return environment


SUMMARY = ROOT / "docs/benchmarks.md"
PAGE = RESULTS / "tables.md"


def main() -> None:
    """Write both pages and their plots."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--output", type=Path, default=SUMMARY, help="the short page")
    options = parser.parse_args()
    records = load_records(options.results)
    folder = options.output.parent / RESULTS.name
    draw_plots(records, folder)
    page = render_page(records)
    (folder / PAGE.name).write_text(page, encoding="utf-8")
    options.output.write_text(render_summary(records, page), encoding="utf-8")


if __name__ == "__main__":
    main()
