"""One method of crowd-kit at one size; runs in the peers' own environment, prints JSON.

python -m benchmarks.peers.scaling METHOD SIZES
"""

import json
import sys

from benchmarks.common.measure import measured
from benchmarks.peers.crowdkit import METHODS, Answers
from benchmarks.scaling.inputs import crowd_of


def main() -> None:
    """Measure the case that the command line names."""
    _, method, text = sys.argv
    sizes = json.loads(text)
    small = {name: min(size, 100) for name, size in sizes.items()}
    METHODS[method](Answers(crowd_of(small)))  # what is set up on first use is no part of the run
    line = measured(lambda: Answers(crowd_of(sizes)), METHODS[method])
    print(json.dumps(line))


if __name__ == "__main__":
    main()
