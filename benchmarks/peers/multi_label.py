"""crowd-kit's BinaryRelevance on one multi-label crowd; runs in the peers' own environment.

python -m benchmarks.peers.multi_label BASE CROWD.npz TABLE.npy
"""

import sys
import time

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene, MajorityVote

BASES = {"majority": MajorityVote, "dawid-skene": lambda: DawidSkene(n_iter=100)}


def main() -> None:
    """Aggregate each label as BinaryRelevance does, but keep the probabilities."""
    _, base, source, target = sys.argv
    with np.load(source) as arrays:
        items, workers, picked = arrays["items"], arrays["workers"], arrays["picked"]
        table = np.zeros(arrays["gold"].shape)
    start = time.process_time()
    for label in range(picked.shape[1]):
        columns = {"task": items, "worker": workers, "label": picked[:, label].astype(int)}
        frame = pd.DataFrame(columns).drop_duplicates(["task", "worker"])
        found = BASES[base]().fit_predict_proba(frame)
        if 1 in found.columns:
            table[found.index, label] = found[1].fillna(0.0)
    print(time.process_time() - start)
    np.save(target, table)


if __name__ == "__main__":
    main()
