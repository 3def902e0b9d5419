"""What a function loads as it starts, and with its example: the rest is cold-start time."""

import json
import subprocess
import sys

import pytest

from tests.batches import MASKS, SINGLE
from tests.examples import example

pytestmark = pytest.mark.slow

LOADED = """
import json, os, sys, runpy
sys.path[:0] = json.loads(sys.argv[1])
module = runpy.run_path(sys.argv[2])
class Context:
    function_name = aws_request_id = invoked_function_arn = "x"
    memory_limit_in_mb = 512
    get_remaining_time_in_millis = lambda self: 60_000
if len(sys.argv) > 3:
    module["lambda_handler"](json.loads(sys.argv[3]), Context())
wanted = {"PIL", "numpy", "scipy", "pandas", "sklearn", "skimage"}
print(json.dumps(sorted(wanted & set(sys.modules))))
"""


def loaded_by(checkout, function, folder, event=None, **variables):
    """Which heavy packages a function has loaded, after an event if one is given."""
    path = json.dumps([name for name in sys.path if name])
    arguments = [path, checkout / "functions" / function / "app.py"]
    environment = {
        "PATH": "",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "test",
        "GROUNDTRUTH_STORE_FOLDER": str(folder),
        "GROUNDTRUTH_JOBS_FOLDER": str(folder / "jobs"),
        **variables,
    }
    given = [] if event is None else [json.dumps(event)]
    run = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments, *given],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


def stored_example(function, folder):
    event = example(function, "event")
    path = folder / event["payload"]["s3Uri"].removeprefix("s3://")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(example(function, "payload")))
    return event


def test_one_label_loads_numpy_alone(checkout, tmp_path):
    assert loaded_by(checkout, SINGLE, tmp_path) == {"numpy"}
    event = stored_example(SINGLE, tmp_path)
    assert loaded_by(checkout, SINGLE, tmp_path, event) == {"numpy"}


def test_masks_load_scikit_image_only_for_an_option_that_needs_it(checkout, tmp_path):
    event = stored_example(MASKS, tmp_path)
    plain = {"numpy", "PIL"}
    assert loaded_by(checkout, MASKS, tmp_path) <= plain
    assert loaded_by(checkout, MASKS, tmp_path, event) <= plain
    assert loaded_by(checkout, MASKS, tmp_path, event, DISAGREEMENT_MAP="true") <= plain
    assert "skimage" in loaded_by(checkout, MASKS, tmp_path, event, CLEAN_UP_PIXELS="4")
    assert "skimage" in loaded_by(checkout, MASKS, tmp_path, event, SMOOTHING_SIGMA="1")
