"""`labeljob demo`: the main job of all three types, on photographs that are here already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from labeljob.commands.options import output_option, takes_options
from labeljob.extras import need


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Options of `labeljob demo`."""

    output: Annotated[Path, output_option("Folder for everything it writes.")] = Path("demo-output")


@takes_options
def demo(options: DemoOptions) -> None:
    """Run a job of each type on real photographs, with simulated workers, and draw the results.

    The photographs come with scikit-image; nothing is downloaded. An earlier demonstration in
    the folder is replaced.

    Example: labeljob demo --output demo-output
    """
    need("matplotlib", "labeljob demo")
    from labeljob.actions import demo as action

    action.demo(options)
