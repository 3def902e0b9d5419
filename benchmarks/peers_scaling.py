"""One method of crowd-kit at one size; runs in the peers' own environment, prints JSON.

python -m benchmarks.peers_scaling METHOD SIZES
"""

import json
import sys

from benchmarks.peers_crowdkit import METHODS, Answers
from benchmarks.scaling_inputs import crowd_of
from benchmarks.scaling_measure import measured


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
