import subprocess
import sys
from pathlib import Path

import groundtruth

LIBRARY = Path(groundtruth.__file__).parents[1]


def test_every_public_name_is_there_and_documented():
    for name in groundtruth.__all__:
        assert getattr(groundtruth, name).__doc__, name


def test_a_name_that_is_not_public_is_an_attribute_error():
    assert not hasattr(groundtruth, "consolidate_everything")


def test_importing_the_package_loads_no_numerics():
    code = "import sys, groundtruth; groundtruth.Settings; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(LIBRARY)})
