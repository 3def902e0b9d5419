"""A job in other formats: tables, training sets, and annotations from other tools."""

from enum import StrEnum


class Format(StrEnum):
    """What an export is written as."""

    COCO = "coco"
    YOLO = "yolo"
    VOC = "voc"
    IMAGEFOLDER = "imagefolder"
    HUGGINGFACE = "huggingface"
    FIFTYONE = "fiftyone"
    DATUMARO = "datumaro"
    CSV = "csv"
    LABELSTUDIO = "labelstudio"
    CVAT = "cvat"
