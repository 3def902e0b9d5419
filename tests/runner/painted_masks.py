"""The mask in a worker's answer, decoded by itself."""

import base64
import io

import numpy as np
from PIL import Image


def answer_mask(content, labels):
    """Class of each pixel: 0 for background, else the index of the label + 1."""
    answer = content["crowd-semantic-segmentation"]
    data = base64.b64decode(answer["labeledImage"]["pngImageData"], validate=True)
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.array(image.convert("RGBA"))
    mask = np.zeros(pixels.shape[:2], dtype=np.uint8)
    for index, name in enumerate(labels, start=1):
        if name in answer["labelMappings"]:
            color = bytes.fromhex(answer["labelMappings"][name]["color"].removeprefix("#"))
            painted = (pixels[..., :3] == np.frombuffer(color, np.uint8)).all(axis=-1)
            mask[painted & (pixels[..., 3] > 0)] = index
    return mask
