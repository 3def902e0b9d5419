"""What Lambda unzips for a function stays below its limit, and what PRE loads stays small."""

import marshal
import subprocess
import sys

import pytest

LAMBDA_LIMIT = 262_144_000
UNCHECKED_HASH = 0b01  # flags of PEP 552: Python does not look at the source at all
FUNCTIONS = {
    "pre_image_multi_class": 10_000_000,
    "pre_image_multi_class_multi_label": 10_000_000,
    "pre_semantic_segmentation": 10_000_000,
    "acs_image_multi_class": 90_000_000,
    "acs_image_multi_class_multi_label": 90_000_000,
    "acs_semantic_segmentation": int(0.92 * LAMBDA_LIMIT),
    "finish_job": 10_000_000,
    "replay_shard": int(0.92 * LAMBDA_LIMIT),
}


def size(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def files(folder):
    return {file.relative_to(folder) for file in folder.rglob("*") if file.is_file()}


def layers_of(application):
    return {layer for name in FUNCTIONS for layer in application.function(name).layers}


def test_these_are_all_functions(application):
    assert sorted(application.functions()) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_and_its_layers_fit(application, name):
    function = application.function(name)
    assert sum(map(size, (function.code, *function.layers))) < FUNCTIONS[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_two_layers_of_a_function_hold_the_same_file(application, name):
    layers = application.function(name).layers
    assert len(set().union(*map(files, layers))) == sum(len(files(layer)) for layer in layers)


def test_layers_hold_no_tests(application):
    for layer in layers_of(application):
        assert [folder for folder in layer.rglob("tests") if folder.is_dir()] == []


def test_layers_are_compiled_for_the_path_they_have_on_lambda(application):
    for layer in layers_of(application):
        sources = [file for file in layer.rglob("*.py") if "-" not in file.parent.name]
        assert sources
        for source in sources:
            compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            assert compiled.is_file(), source
            content = compiled.read_bytes()
            assert int.from_bytes(content[4:8], "little") == UNCHECKED_HASH
            code = marshal.loads(content[16:])
            assert code.co_filename == f"/opt/{source.relative_to(layer)}"


@pytest.mark.parametrize(
    "name", [name for name in FUNCTIONS if not name.startswith(("acs_", "replay_"))]
)
def test_a_built_function_that_consolidates_nothing_loads_no_numerics(application, name):
    function = application.function(name)
    paths = [function.code, *(layer / "python" for layer in function.layers)]
    script = (
        f"import sys; sys.path[:0] = {[str(path) for path in paths]}\n"
        "import app\n"
        "print(*sorted({'numpy', 'PIL', 'scipy', 'skimage', 'boto3'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-B", "-c", script], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == []
