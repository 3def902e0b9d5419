import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundtruth.worker_history.dynamodb import (
    MOST_ACTIONS,
    MOST_CELLS,
    MOST_CELLS_OF_A_WORKER,
    group_parts,
    split_object,
    sum_by_worker,
)

names = st.text("abcdefgh", min_size=1, max_size=2)
units = st.dictionaries(names, st.dictionaries(names, st.integers(1, 99), min_size=1), min_size=1)
batches = st.dictionaries(names, units, max_size=12)


def crew(n_workers, n_cells=1):
    return {f"w{n:03}": {str(cell): 1 for cell in range(n_cells)} for n in range(n_workers)}


def check(groups):
    for group in groups:
        sums = sum_by_worker(group.parts)
        assert len(group.parts) + len(sums) <= MOST_ACTIONS
        assert max(map(len, sums.values())) <= MOST_CELLS_OF_A_WORKER
        assert sum(map(len, sums.values())) <= MOST_CELLS
        marks = [(part.object_id, part.number) for part in group.parts]
        assert len(set(marks)) == len(marks)


@pytest.mark.slow
@given(batches)
def test_everything_is_written_once_within_the_limits(objects):
    groups = group_parts(objects)
    check(groups)
    parts = [part for group in groups for part in group.parts]
    assert sorted(part.object_id for part in parts) == sorted(objects)  # none is cut
    assert all(part.units == objects[part.object_id] for part in parts)


@pytest.mark.parametrize(
    ("workers", "cells", "n_parts"),
    [(50, 3, 1), (51, 3, 2), (9, 120, 1), (9, 121, 2), (2, 250, 3), (130, 1, 3), (50, 100, 2)],
)
def test_an_object_that_is_too_large_is_cut(workers, cells, n_parts):
    whole = crew(workers, cells)
    parts = split_object("1", whole)
    assert [part.number for part in parts] == list(range(n_parts))
    assert sum_by_worker(parts) == whole
    assert parts == split_object("1", dict(reversed(whole.items())))
    check(group_parts({"1": whole}))


@pytest.mark.parametrize(
    ("objects", "workers", "most"), [(50, 9, 1), (50, 50, 1), (50, 97, 2), (300, 9, 4)]
)
def test_a_batch_needs_few_groups(objects, workers, most):
    groups = group_parts({str(n): crew(workers) for n in range(objects)})
    assert len(groups) <= most
    check(groups)
