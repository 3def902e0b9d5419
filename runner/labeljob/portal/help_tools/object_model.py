"""A model that knows objects by sight, through onnxruntime: the extra `assist`.

The owner names its file. It is asked what stands out in a picture: it takes one in RGB, and its
first answer is a map of the same size, as U2-Net's and those of its kind do.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from groundtruth.errors import GroundTruthError
from labeljob.extras import need

_SIDE = 320  # pixels, where the model takes any size
_MEANS = np.array([0.485, 0.456, 0.406])  # of ImageNet's pixels, for which such models are made
_DEVIATIONS = np.array([0.229, 0.224, 0.225])


class ModelError(GroundTruthError):
    """The model cannot be used; the text says why."""


class ObjectModel:
    """A model of a file; raises `ModelError` if there is none that can be used.

    Parameters
    ----------
    path : Path
        An ONNX file. Its input has the shape (1, 3, height, width).
    """

    def __init__(self, path: Path) -> None:
        need("onnxruntime", "--assist-model")
        runtime = import_module("onnxruntime")
        state = import_module("onnxruntime.capi.onnxruntime_pybind11_state")
        refusals = [kind for kind in vars(state).values() if _is_error(kind)]
        self.name = path.stem
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session: Any = runtime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            self._input = self._session.get_inputs()[0]
            height, width = (
                size if isinstance(size, int) else _SIDE for size in self._input.shape[2:4]
            )
            self._size = (width, height)
            self.predict(Image.new("RGB", self._size, "gray"))
        except (*refusals, ValueError, IndexError, TypeError) as error:
            raise ModelError(
                f"{path} is no ONNX model that finds an object in a picture: "
                f"{str(error).splitlines()[0]}"
            ) from error

    def predict(self, picture: Image.Image) -> NDArray[np.float64]:
        """How likely each pixel of a picture is that of what stands out in it, from 0 to 1."""
        scaled = picture.resize(self._size, Image.Resampling.BILINEAR)
        values = np.asarray(scaled, dtype=np.float64)
        values = (values / max(values.max(), 1.0) - _MEANS) / _DEVIATIONS
        batch = values.transpose(2, 0, 1)[None].astype(np.float32)
        answer = self._session.run(None, {self._input.name: batch})[0]
        (found,) = np.asarray(answer, dtype=np.float32).reshape(1, *self._size[::-1])
        found = (found - found.min()) / max(float(np.ptp(found)), 1e-9)
        full = Image.fromarray(found).resize(picture.size, Image.Resampling.BILINEAR)
        return np.asarray(full, dtype=np.float64)


def _is_error(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Exception)
