"""A function's layers as one folder, the way Lambda shows them at ``/opt``."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock


def merged_layers(layers: Sequence[Path]) -> Path:
    """One folder with the files of all layers; where two hold the same file, the later one wins.

    The files are hard links, so the folder costs little. It lies beside the build folder and is
    made again when a layer was built again.

    Parameters
    ----------
    layers : sequence of Path
        Layers of one build folder, in the order of the template.
    """
    build = layers[0].parent
    states = [(layer.name, layer.stat().st_ino, layer.stat().st_mtime_ns) for layer in layers]
    state = hashlib.sha256(repr(states).encode()).hexdigest()[:16]
    folder = build.parent / "merged-layers" / "-".join([*(layer.name for layer in layers), state])
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            scratch = Path(tempfile.mkdtemp(dir=folder.parent))
            for layer in layers:
                shutil.copytree(layer, scratch, copy_function=_link, dirs_exist_ok=True)
            scratch.rename(folder)
    return folder


def _link(source: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
