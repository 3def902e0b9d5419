"""The example of docs/how-to/costs.md is what its arithmetic gives at its prices."""

import pytest

from tests.repository.markdown import code_in, table
from tests.repository.source_files import ROOT

TEXT = (ROOT / "docs/how-to/costs.md").read_text(encoding="utf-8")
PRICES = {code_in(row["letter"])[0]: float(row["dollars"]) for row in table(TEXT, "Prices")}
EXAMPLE = table(TEXT, "An example: 10,000 photographs, three people each")


@pytest.mark.parametrize("row", EXAMPLE, ids=lambda row: row["what"])
def test_dollars_are_what_the_arithmetic_gives(row):
    (arithmetic,) = code_in(row["arithmetic"])
    decimals = len(row["dollars"].partition(".")[2])
    dollars = eval(arithmetic, {"__builtins__": {}}, {"n": 10_000, **PRICES})
    assert round(dollars, decimals) == float(row["dollars"])
