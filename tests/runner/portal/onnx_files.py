"""ONNX files, byte by byte: no package that writes them is needed, but one that reads them."""

import pytest


def brightness_model(*, rank=4):
    """An ONNX file that gives the mean of its input's channels: (1, 3, 8, 8) to (1, 1, 8, 8)."""

    pytest.importorskip("onnxruntime")  # which not every machine has a wheel of

    def field(number, value):
        if isinstance(value, int):
            return varint(number << 3) + varint(value)
        value = value.encode() if isinstance(value, str) else value
        return varint(number << 3 | 2) + varint(len(value)) + value

    def varint(value):
        head = b"" if value < 128 else bytes([value & 127 | 128])
        return bytes([value]) if value < 128 else head + varint(value >> 7)

    def tensor(name, *sizes):
        shape = b"".join(field(1, field(1, size)) for size in sizes[:rank])
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))

    axes = field(1, "axes") + field(8, 1) + field(20, 7)  # integers: channels
    node = field(1, "x") + field(2, "y") + field(4, "ReduceMean") + field(5, axes)
    graph = field(1, node) + field(2, "brightness")
    graph += field(11, tensor("x", 1, 3, 8, 8)) + field(12, tensor("y", 1, 1, 8, 8))
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))
