import os
import subprocess
import sys

MODULES = (
    "aggregation.segmentation.voting",
    "aggregation.segmentation.skill",
    "aggregation.segmentation.one_coin_em",
    "aggregation.segmentation.smoothing",
    "aggregation.segmentation.confidence",
    "masks.classify",
    "masks.reader",
    "masks.writer",
)
CODE = """
import importlib, sys
for name in {modules}:
    importlib.import_module("groundtruth." + name)
print(sorted(name for name in ("scipy", "skimage") if name in sys.modules))
"""


def test_only_who_smooths_or_cleans_loads_scikit_image():
    result = subprocess.run(
        [sys.executable, "-c", CODE.format(modules=MODULES)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "[]"
