"""The library's part of a fourth job type: one label for a text that stands in the manifest."""

from groundtruth.tasks.classification.task import ImageMultiClass


class TextClassification(ImageMultiClass):
    """Single-label text classification."""

    name = "text-classification"
    aws_name = "TextClassification"
    schema_name = "text-classification"
    inline_source = True
