import os
import subprocess
import sys

MODULES = (
    "aggregation.mask_fusion",
    "aggregation.mask_skill",
    "aggregation.mask_em",
    "aggregation.mask_smoothing",
    "aggregation.mask_cleaning",
    "aggregation.mask_disagreement",
    "masks.answers",
    "masks.colors",
    "masks.reading",
    "masks.writing",
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
