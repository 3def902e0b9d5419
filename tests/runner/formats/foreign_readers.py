"""Reads exports with the packages of the tools they are for, and prints what those understood.

Runs in an environment of its own, `.tools/exchange`: those packages want other versions than we.
The standard input is a JSON list of calls, each a reader's name and its arguments; the standard
output is a JSON list of what came of them.
"""

import json
import sys
from pathlib import Path

import numpy as np


def read_datumaro(folder, form):
    """Subset, labels and pixels of each item, and the names of the labels."""
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.dataset import Dataset

    dataset = Dataset.import_from(folder, form)
    names = [label.name for label in dataset.categories()[AnnotationType.label].items]
    items = {}
    for item in dataset:
        labels = [names[one.label] for one in item.annotations if one.type == AnnotationType.label]
        masks = [one for one in item.annotations if one.type == AnnotationType.mask]
        confidences = [one.attributes.get("confidence") for one in item.annotations]
        items[item.id] = {
            "subset": item.subset,
            "labels": labels,
            "mask": paint([(names.index(names[one.label]) + 1, one.image) for one in masks]),
            "confidences": confidences,
            "shape": list(item.media.data.shape[:2]) if Path(item.media.path).is_file() else None,
        }
    return {"names": names, "items": items}


def write_cvat(folder, out):
    """Write the same dataset as CVAT's XML."""
    from datumaro.components.dataset import Dataset

    Dataset.import_from(folder, "datumaro").export(out, "cvat", save_media=False)


def read_fiftyone(folder):
    """What FiftyOne's own importer makes of each sample; its database is not needed for that."""
    from fiftyone.utils.data.importers import FiftyOneDatasetImporter

    importer = FiftyOneDatasetImporter(folder)
    importer = importer._to_legacy_importer()
    importer.setup()
    samples = {}
    for sample in importer:
        truth = sample["ground_truth"]
        kind = type(truth).__name__
        made = [truth] if kind == "Classification" else getattr(truth, "classifications", [])
        mask = truth.get_mask().tolist() if kind == "Segmentation" else None
        labels = [[one.label, one.confidence] for one in made]
        samples[Path(sample.filepath).name] = {
            "kind": kind,
            "labels": labels,
            "mask": mask,
            "tags": list(sample.tags),
            "there": Path(sample.filepath).is_file(),
        }
    return {"info": importer.get_dataset_info(), "samples": samples}


def read_labelstudio(folder):
    """Whether tasks and predictions fit the configuration, and what the SDK's brush paints."""
    from label_studio_sdk.converter.brush import decode_rle
    from label_studio_sdk.label_interface import LabelInterface

    interface = LabelInterface(Path(folder, "label_config.xml").read_text(encoding="utf-8"))
    tasks = json.loads(Path(folder, "tasks.json").read_text(encoding="utf-8"))
    read = []
    for task in tasks:
        for prediction in task["predictions"]:
            interface.validate_prediction(prediction)
            regions = [one for one in prediction["result"] if one["type"] == "brushlabels"]
            names = list(interface.get_control().labels)
            painted = [
                (
                    names.index(one["value"]["brushlabels"][0]) + 1,
                    decode_rle(one["value"]["rle"]).reshape(
                        one["original_height"], one["original_width"], 4
                    )[:, :, 3],
                )
                for one in regions
            ]
            chosen = [
                name for one in prediction["result"] for name in one["value"].get("choices", ())
            ]
            read.append(
                {
                    "data": task["data"],
                    "fits": bool(interface.validate_prediction(prediction)),
                    "score": prediction["score"],
                    "labels": chosen,
                    "mask": paint(painted),
                }
            )
    return read


def write_labelstudio(folder, path):
    """Accept each prediction as an annotation of two people, as an export of the tool has them."""
    from label_studio_sdk.converter.brush import decode_rle, encode_rle

    tasks = json.loads(Path(folder, "tasks.json").read_text(encoding="utf-8"))
    for number, task in enumerate(tasks):
        (prediction,) = task.pop("predictions")
        for item in prediction["result"]:
            if item["type"] == "brushlabels":  # as if the tool had painted it anew
                item["value"]["rle"] = encode_rle(decode_rle(item["value"]["rle"]))
        task["id"] = number
        task["annotations"] = [
            {"id": 2 * number + who, "completed_by": who, "result": prediction["result"]}
            for who in range(2)
        ]
    Path(path).write_text(json.dumps(tasks), encoding="utf-8")


def read_cvat_masks(path):
    """Masks of CVAT's XML, as the SDK decodes them, and its labels as the SDK takes them."""
    from xml.etree import ElementTree as ET

    from cvat_sdk import models
    from cvat_sdk.masks import decode_mask

    labels = json.loads(Path(path).with_name("labels.json").read_text(encoding="utf-8"))
    names = [models.PatchedLabelRequest(**label).name for label in labels]
    masks = {}
    for image in ET.parse(path).getroot().iterfind("image"):
        size = int(image.get("width")), int(image.get("height"))
        painted = []
        for shape in image.iterfind("mask"):
            runs = [float(part) for part in shape.get("rle").split(",")]
            left, top, width, height = (
                int(shape.get(key)) for key in ("left", "top", "width", "height")
            )
            points = [*runs, left, top, left + width - 1, top + height - 1]
            painted.append(
                (
                    names.index(shape.get("label")) + 1,
                    decode_mask(points, image_width=size[0], image_height=size[1]),
                )
            )
        masks[image.get("name")] = paint(painted)
    return masks


def paint(regions):
    """A mask of class indices."""
    if not regions:
        return None
    mask = np.zeros(np.asarray(regions[0][1]).shape, dtype=int)
    for index, region in regions:
        mask[np.asarray(region).astype(bool)] = index
    return mask.tolist()


if __name__ == "__main__":
    answers = [globals()[name](*arguments) for name, *arguments in json.load(sys.stdin)]
    sys.stdout.write(f"\n{json.dumps(answers)}\n")
