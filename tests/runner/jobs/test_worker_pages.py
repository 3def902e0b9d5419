"""The three worker pages, rendered as Ground Truth renders them and read as a browser would."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from groundtruth.jobs import JobContexts, LabelingJob
from groundtruth.pre_annotation import prepare_task
from groundtruth.settings import Settings
from labeljob.jobs.label_categories import label_category_text
from labeljob.jobs.worker_pages import PageError, render_page

PAGES = Path(__file__).parents[3] / "worker_templates"
RENDER_UI_TEMPLATE_LIMIT = 128_000
AWKWARD_LABELS = ['Rock & "Roll" <x>', "O'Brien", "&amp;", "naïve 猫", "{{ task }}", "a\\b\nc", "]"]
ELEMENTS = {
    "image_multi_class": ("crowd-image-classifier", "categories"),
    "image_multi_class_multi_label": ("crowd-image-classifier-multi-select", "categories"),
    "semantic_segmentation": ("crowd-semantic-segmentation", "labels"),
    "verification": ("crowd-image-classifier", "categories"),
}


class Document(HTMLParser):
    """Elements of a page with their decoded attributes and text; fails on unbalanced tags."""

    def __init__(self, html):
        super().__init__()
        self.attributes, self.parents, self.text, self._open = {}, {}, {}, []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.attributes.setdefault(tag, dict(attrs))
        self.parents.setdefault(tag, self._open[-1] if self._open else None)
        self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        for tag in self._open:
            self.text[tag] = self.text.get(tag, "") + data


def granted(uri):
    return f"https://example.com/{uri.removeprefix('s3://')}?token=a&expires=60"


def rendered(name, **task_input):
    template = (PAGES / f"{name}.liquid.html").read_text(encoding="utf-8")
    return Document(render_page(template, task_input, grant_read_access=granted))


def text_of(template, **task_input):
    return render_page(template, task_input, grant_read_access=granted)


@pytest.fixture(params=ELEMENTS)
def page(request):
    return request.param


def test_labels_come_back_from_the_attribute_exactly(page):
    element, attribute = ELEMENTS[page]
    document = rendered(page, taskObject="s3://bucket/cat.jpg", labels=AWKWARD_LABELS)
    assert json.loads(document.attributes[element][attribute]) == AWKWARD_LABELS


def test_the_image_is_the_granted_url_of_the_task_object(page):
    element, _ = ELEMENTS[page]
    document = rendered(page, taskObject="s3://bucket/a b & 'c'.jpg", labels=["x", "y"])
    assert document.attributes[element]["src"] == granted("s3://bucket/a b & 'c'.jpg")


def test_the_page_has_the_documented_shape(page):
    element, _ = ELEMENTS[page]
    document = rendered(page, taskObject="s3://bucket/cat.jpg", labels=["x", "y"])
    assert document.attributes["script"]["src"] == (
        "https://assets.crowd.aws/crowd-html-elements.js"
    )
    assert document.parents[element] == "crowd-form"
    assert document.attributes[element]["name"] == element
    assert document.attributes[element]["header"]
    for region in ("full-instructions", "short-instructions"):
        assert document.parents[region] == element
        assert len(document.text[region].split()) > 20
    assert document.attributes["full-instructions"]["header"]


def test_a_comment_can_be_left_where_the_element_supports_one():
    document = rendered("image_multi_class", taskObject="s3://bucket/cat.jpg", labels=["x", "y"])
    assert document.parents["worker-comment"] == "crowd-image-classifier"
    assert set(document.attributes["worker-comment"]) == {"header", "link-text", "placeholder"}


class OneJob:
    """A register of one labeling job."""

    def describe(self, arn):
        return LabelingJob(label_category_config_uri="s3://bucket/label_categories.json")


class OneFile:
    """A store of one label category file."""

    def read(self, uri):
        return label_category_text(AWKWARD_LABELS).encode()


def test_the_page_shows_what_our_pre_function_returned(page):
    event = {
        "version": "2018-10-16",
        "labelingJobArn": "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/birds",
        "dataObject": {"source-ref": "s3://bucket/é & b.jpg", "site": "north"},
    }
    response = prepare_task(event, jobs=JobContexts(Settings(), OneJob(), OneFile()))
    element, attribute = ELEMENTS[page]
    shown = rendered(page, **json.loads(json.dumps(response))["taskInput"]).attributes[element]
    assert json.loads(shown[attribute]) == AWKWARD_LABELS
    assert shown["src"] == granted("s3://bucket/é & b.jpg")


@pytest.mark.parametrize("name", ["semantic_segmentation", "verification"])
def test_a_mask_of_an_earlier_job_comes_whole(name):
    mappings = {label: {"color": "#2ca02c"} for label in AWKWARD_LABELS}
    earlier = {"src": "s3://bucket/é & 'b'.png", "labelMappings": mappings}
    document = rendered(
        name, taskObject="s3://bucket/b.jpg", labels=AWKWARD_LABELS, initialValue=earlier
    )
    shown = document.attributes[ELEMENTS[name][0]]
    text = shown.get("initial-value") or json.dumps(
        json.loads(shown["overlay"])["semanticSegmentation"]
    )
    assert json.loads(text) == earlier | {"src": granted(earlier["src"])}


def test_labels_of_an_earlier_job_are_asked_about_by_name():
    document = rendered(
        "verification",
        taskObject="s3://bucket/b.jpg",
        labels=["right", "unsure"],
        earlierLabels=AWKWARD_LABELS,
    )
    header = document.attributes["crowd-image-classifier"]["header"]
    assert header == f"This image is labeled: {', '.join(AWKWARD_LABELS)}. Is that right?"


def test_a_page_without_labels_is_an_error(page):
    with pytest.raises(PageError) as caught:
        rendered(page, taskObject="s3://bucket/cat.jpg")
    assert caught.value.line is not None


def test_a_page_fits_into_a_preview(page):
    template = (PAGES / f"{page}.liquid.html").read_text(encoding="utf-8")
    assert len(template) < RENDER_UI_TEMPLATE_LIMIT


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("{{ task.input.text }}", "a &amp; &lt;b&gt; &amp;amp;", id="autoescape"),
        pytest.param("{{ task.input.text | escape }}", "a &amp; &lt;b&gt; &amp;amp;", id="escape"),
        pytest.param("{{ task.input.text | escape_once }}", "a &amp; &lt;b&gt; &amp;", id="once"),
        pytest.param("{{ task.input.text | skip_autoescape }}", "a & <b> &amp;", id="skip"),
        pytest.param("{{ task.input.map | to_json }}", "{&#34;x-y&#34;: [1, 2.5]}", id="json"),
        pytest.param("{{ task.input.map.x-y[0] }}", "1", id="hyphenated-key"),
        pytest.param("{{ task.input['map']['x-y'][1] }}", "2.5", id="key-in-brackets"),
        pytest.param("{% for p in task.input.map %}{{ p[0] }}{% endfor %}", "x-y", id="pairs"),
        pytest.param("{{ (1..3) | to_json }} {{ 1.5 | to_json }}", "[1, 2, 3] 1.5", id="literals"),
        pytest.param(
            "{% if task.input.no %}x{% endif %}{{ task.input.no | default: 1 }}", "1", id="asked"
        ),
    ],
)
def test_values_and_filters(template, expected):
    assert text_of(template, text="a & <b> &amp;", map={"x-y": [1, 2.5]}) == expected


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("\n{{ task.input.no }}", id="undefined"),
        pytest.param("\n{{ task.input.no.more | to_json }}", id="undefined-to-json"),
        pytest.param("\n{{ task.input.no | skip_autoescape }}", id="undefined-unescaped"),
        pytest.param("\n{{ task.input.no | grant_read_access }}", id="undefined-image"),
        pytest.param("\n{% for x in task.input.no %}{% endfor %}", id="undefined-list"),
        pytest.param("\n{{ input.text }}", id="without-task"),
        pytest.param("\n{{ task.input.text | s3_presign }}", id="unknown-filter"),
        pytest.param("\n{{ task.input.text | safe }}", id="filter-ground-truth-does-not-have"),
        pytest.param("\n{{ task.input.number | grant_read_access }}", id="number-as-image"),
        pytest.param("\n{% include 'other' %}", id="another-file"),
        pytest.param("\n{% wrong %}", id="unknown-tag"),
    ],
)
def test_a_mistake_in_the_page_is_an_error_that_names_the_line(template):
    with pytest.raises(PageError) as caught:
        text_of(template, text="x", number=1)
    assert caught.value.line == 2


@pytest.mark.parametrize("template", ["{% if task.input.text %}", "{{ task.input.text", "{% if "])
def test_an_unfinished_page_is_an_error(template):
    with pytest.raises(PageError):
        text_of(template, text="x")


def test_an_image_that_may_not_be_read_is_the_callers_own_error():
    def denied(uri):
        raise PermissionError(uri)

    with pytest.raises(PermissionError):
        render_page("{{ 'a' | grant_read_access }}", {}, grant_read_access=denied)
