"""Makes docs/benchmarks.md and its plots from the results in docs/benchmarks/*.json.

python -m benchmarks.report [--results FOLDER] [--output FILE]
"""

import argparse
from pathlib import Path

from benchmarks.common.environment import ROOT
from benchmarks.common.record import RESULTS
from benchmarks.report.figures import load_records
from benchmarks.report.page import render_page
from benchmarks.report.plots import draw_plots

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
