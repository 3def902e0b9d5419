"""The command's part of it."""

from labeljob.tasks.image_multi_class import ImageMultiClass


class TextClassification(ImageMultiClass):
    """One label for each text."""

    name = "text-classification"
    summary = "one label per text"
    page_element = "crowd-classifier"
    request_title = "Choose the label of a text"
    request_description = "Read a text and choose the one label that fits it best."
    request_keywords = ("text", "classification", "label")
