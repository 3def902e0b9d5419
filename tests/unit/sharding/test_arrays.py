"""Arrays as bytes and back."""

import numpy as np
import pytest

from groundtruth.sharding.arrays import pack, unpack

pytestmark = pytest.mark.fast

ARRAYS = {
    "flags": np.array([True, False, True]),
    "odd": np.arange(7, dtype=np.uint8),
    "table": np.arange(6, dtype=np.float64).reshape(2, 3),
    "columns": np.arange(6, dtype=np.int32).reshape(2, 3).T,
    "number": np.array(3, np.int64),
    "nothing": np.empty((0, 4), np.float32),
}


def test_arrays_come_back() -> None:
    found = unpack(pack(ARRAYS))
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)
    found["table"][0] = 9.0


def test_the_order_of_names_does_not_count() -> None:
    assert pack(ARRAYS) == pack(dict(reversed(ARRAYS.items())))


def test_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="names has values of type"):
        pack({"names": np.array(["cat"])})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK\x03\x04 an archive",
        pack(ARRAYS)[:-1],
        (2).to_bytes(8, "little") + b"[]",
        b"\xff" * 90,
    ],
)
def test_other_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="no arrays"):
        unpack(body)
