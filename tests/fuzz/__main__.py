"""Coverage-guided fuzzing of the mask readers: `python -m tests.fuzz -runs=100000`.

Needs atheris, which has wheels for Linux on x86_64 alone.
"""

import sys

import atheris

with atheris.instrument_imports(include=["groundtruth.masks"]):
    from tests.fuzz.mask_reader import read_both_ways

atheris.Setup(sys.argv, lambda content: read_both_ways(atheris.FuzzedDataProvider(content)))
atheris.Fuzz()
