"""Layers are merged as Lambda merges them."""

import pytest

from labeljob.emulator.function import merge_layers


@pytest.fixture
def layers(tmp_path):
    folders = []
    for name in ("First", "Second"):
        folder = tmp_path / "build" / name
        (folder / "python" / name.lower()).mkdir(parents=True)
        (folder / "python" / name.lower() / "own.py").write_text(name)
        (folder / "python" / "shared.py").write_text(name)
        folders.append(folder)
    return folders


def test_all_files_are_there_and_the_later_layer_wins(layers):
    merged = merge_layers(layers) / "python"
    assert (merged / "first" / "own.py").read_text() == "First"
    assert (merged / "second" / "own.py").read_text() == "Second"
    assert (merged / "shared.py").read_text() == "Second"


def test_the_layers_themselves_stay_as_they_are(layers):
    merge_layers(layers)
    assert (layers[0] / "python" / "shared.py").read_text() == "First"


def test_the_folder_is_made_once_for_each_build(layers):
    merged = merge_layers(layers)
    assert merge_layers(layers) == merged
    (layers[0] / "python").rename(layers[0] / "rebuilt")
    assert merge_layers(layers) != merged
