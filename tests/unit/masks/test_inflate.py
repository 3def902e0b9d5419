import itertools
import random
import zlib

import pytest

from groundtruth.errors import UnusableAnswer
from groundtruth.masks.png import inflate


def parts(stream, size):
    view = memoryview(stream)
    return [view[at : at + size] for at in range(0, len(view), size)]


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize(("part", "block"), [(1, 7), (100, 1000), (1 << 20, 1 << 20)])
def test_what_zlib_compressed_comes_back_in_blocks(level, part, block):
    content = random.Random(level).randbytes(500) + b"\0" * 5000
    blocks = list(inflate(parts(zlib.compress(content, level), part), len(content), block))
    assert b"".join(blocks) == content
    assert {len(one) for one in blocks[:-1]} <= {block}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda stream: stream[:-5], "truncated-png", id="checksum-cut"),
        pytest.param(lambda stream: stream[:20], "truncated-png", id="data-cut"),
        pytest.param(lambda stream: b"", "truncated-png", id="nothing"),
        pytest.param(lambda stream: stream[:-1] + b"\0", "bad-png", id="wrong-checksum"),
        pytest.param(lambda stream: b"\0\0" + stream[2:], "bad-png", id="wrong-header"),
        pytest.param(lambda stream: stream[:2] + b"\xff" * 20, "bad-png", id="wrong-block"),
    ],
)
def test_a_damaged_stream_is_refused(change, reason):
    content = random.Random(1).randbytes(300)
    with pytest.raises(UnusableAnswer) as caught:
        list(inflate(parts(change(zlib.compress(content)), 50), len(content), 100))
    assert caught.value.reason == reason


@pytest.mark.parametrize("wrong", [-1, 1])
def test_another_length_than_announced_is_refused(wrong):
    with pytest.raises(UnusableAnswer) as caught:
        list(inflate([memoryview(zlib.compress(b"abc" * 100))], 300 + wrong, 64))
    assert caught.value.reason == "bad-png"


def by_zlib(stream, total):
    """What Python's own zlib makes of a stream that should hold `total` bytes."""
    reader = zlib.decompressobj()
    try:
        content = reader.decompress(stream, total + 1)
    except zlib.error:
        return None
    return content if len(content) == total and reader.eof else None


def test_any_stream_is_accepted_just_when_zlib_accepts_it():
    chance = random.Random(2)
    accepted = 0
    for _ in range(2000):
        content = bytes(chance.choices(range(chance.choice([2, 256])), k=chance.randrange(1, 400)))
        stream = bytearray(zlib.compress(content, chance.randrange(10)))
        for _ in range(chance.randrange(3)):
            stream[chance.randrange(len(stream))] = chance.randrange(256)
        del stream[len(stream) - chance.choice([0, 0, 0, 1, 5]) :]
        expected = by_zlib(bytes(stream), len(content))
        try:
            blocks = list(inflate(parts(bytes(stream), chance.randrange(1, 99)), len(content), 64))
        except UnusableAnswer:
            blocks = None
        assert (None if blocks is None else b"".join(blocks)) == expected
        accepted += expected is not None
    assert 200 < accepted < 1800


def test_no_more_than_a_block_is_inflated_ahead():
    bomb = zlib.compress(bytes(10_000_000))
    blocks = inflate([memoryview(bomb)], 10_000_000, 1000)
    assert [len(one) for one in itertools.islice(blocks, 3)] == [1000] * 3
