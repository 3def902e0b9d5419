"""The documentation site: `make docs` writes it to build/docs/index.html."""

import re
from importlib.metadata import version as installed_version
from pathlib import Path

import typer
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective
from typer.cli import get_docs_for_click

from labeljob.commands import COMMANDS, load_command

ROOT = Path(__file__).resolve().parents[1]
_EXAMPLE = re.compile(r"\x08?\s*^\W*Example: (labeljob .*?)\n\n", re.MULTILINE | re.DOTALL)

project = "Ground Truth consolidation"
author = "Ground Truth consolidation"
release = version = installed_version("groundtruth-consolidation")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["notebooks/.ipynb_checkpoints"]

# What a notebook shows is in it already, and the tests run it.
nb_execution_mode = "off"

# Headings have the anchors that GitHub gives them, so that a link works in both.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # a docstring says the types, with shapes and ranges
numpydoc_show_class_members = False

smartquotes = False  # they would make one dash of the two of an option

html_theme = "furo"
html_title = f"Ground Truth consolidation {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
pygments_style = "friendly"
pygments_dark_style = "native"
copybutton_exclude = ".linenos, .gp, .go"


class LinksOutOfTheSite(SphinxTransform):
    """Files of the repository that are no pages are named, for the site does not have them."""

    default_priority = 5

    def apply(self) -> None:
        """Put the text of a link in its place, if what it leads to is there."""
        here = Path(self.env.doc2path(self.env.docname)).parent
        for node in [*self.document.findall(addnodes.pending_xref)]:
            target = (here / node["reftarget"].partition("#")[0]).resolve()
            inside = target.is_relative_to(self.env.srcdir)
            if not inside and target.exists():
                node.replace_self(node.children)
        for node in [*self.document.findall(addnodes.download_reference)]:
            if not (here / node["reftarget"]).resolve().is_relative_to(self.env.srcdir):
                node.replace_self(node.children or nodes.Text(node["reftarget"]))


class LabeljobOptions(SphinxDirective):
    """The help of all commands, made from the commands."""

    def run(self) -> list[nodes.Node]:
        """A section for each command."""
        return self.parse_text_to_nodes(
            "".join(_describe(name) for name in COMMANDS), allow_section_headings=True
        )


def _describe(name: str) -> str:
    command, title = load_command(name), f"labeljob {name}"
    context = typer.Context(command, info_name=title)
    text = get_docs_for_click(obj=command, ctx=context, name=title, indent=1)
    return _EXAMPLE.sub(_show_example, text)


def _show_example(found: re.Match[str]) -> str:
    return f"\n\n```sh\n{' '.join(found[1].split())}\n```\n\n"


def number_citations(app: Sphinx, page: nodes.document, name: str) -> None:
    """Call the sources of docstrings [1] and [2], as numpydoc does where it finds them."""
    for text in [*page.findall(nodes.Text)]:
        if label := re.fullmatch(r"\[R[0-9a-f]{12}-(\d+)\]", text):
            text.parent.replace(text, nodes.Text(f"[{label[1]}]"))


def setup(app: Sphinx) -> None:
    """Add what is ours."""
    app.connect("doctree-resolved", number_citations)
    app.add_directive("labeljob-options", LabeljobOptions)
    app.add_transform(LinksOutOfTheSite)
