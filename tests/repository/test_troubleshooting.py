"""The messages that docs/how-to/troubleshooting.md explains are ones that there are."""

import re

import pytest

from tests.repository.markdown import code_in, table
from tests.repository.source_files import LIBRARY, ROOT, RUNNER
from tests.repository.test_proposed_commands import strings_of

ROWS = table((ROOT / "docs/how-to/troubleshooting.md").read_text("utf-8"), "A command says")


@pytest.fixture(scope="module")
def messages():
    files = [*LIBRARY.glob("**/*.py"), *RUNNER.glob("**/*.py")]
    texts = "\n".join(text for file in files for text in strings_of(file.read_text("utf-8")))
    return re.sub(r"\s+", " ", texts)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["in the message"])
def test_a_message_that_is_explained_is_one_of_the_commands(row, messages):
    (words,) = code_in(row["in the message"])
    assert words in messages
