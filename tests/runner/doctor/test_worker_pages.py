"""Worker pages as people write them: AWS's spelling, every element, forms of their own."""

import json

import pytest

from labeljob.commands.doctor import doctor
from labeljob.tasks.registry import JOB_TYPES, find_job_type
from tests.runner.command_line import run
from tests.runner.doctor.account import PAGES
from tests.runner.labeling_requests import good_request

ONE_LABEL = find_job_type("image-multi-class")
SEVERAL = find_job_type("image-multi-class-multi-label")
MASKS = find_job_type("semantic-segmentation")

TAG = "consolidation:exclusion-category"
IMAGE = "{{ task.input.taskObject | grant_read_access }}"
LABELS = "{{ task.input.labels | to_json | escape }}"
SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'


def element(tag, *, labels=LABELS, inside="", **attributes):
    """An element of a page with all that it needs."""
    kept = {
        "name": tag,
        "header": "Look",
        "labels" if tag == MASKS.page_element else "categories": labels,
        **({"src": IMAGE} if "image" in tag or "segmentation" in tag else {}),
        **{name.replace("_", "-"): value for name, value in attributes.items()},
    }
    written = " ".join(f'{name}="{value}"' for name, value in kept.items() if value is not None)
    return f"<{tag} {written}>{inside}</{tag}>"


def classifier(tag="crowd-classifier", **attributes):
    inside = f"<classification-target><img src='{IMAGE}'></classification-target>"
    return element(tag, inside=inside, **attributes)


@pytest.fixture
def looked_at(tmp_path):
    """What is said of a form on a page: code, severity and text of each finding."""

    def look(form, task=ONE_LABEL, *, labels=("duck", "gull"), tags=None):
        files = {name: tmp_path / name for name in ("job.json", "labels.json", "page.html")}
        request = good_request(task)
        request["Tags"] = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
        files["job.json"].write_text(json.dumps(request), encoding="utf-8")
        categories = {
            "document-version": "2018-11-28",
            "labels": [{"label": name} for name in labels],
        }
        files["labels.json"].write_text(json.dumps(categories), encoding="utf-8")
        page = f"{SCRIPT}\n<crowd-form>\n{form}\n</crowd-form>"
        files["page.html"].write_text(page, encoding="utf-8")
        known = [f"--label-categories={files['labels.json']}"] if labels else []
        result = run(
            doctor, files["job.json"], "--offline", "--json", f"--ui-template={files['page.html']}",
            *known,
        )  # fmt: skip
        return [
            (finding["code"], finding["severity"], finding["text"])
            for finding in json.loads(result.stdout)["findings"]
            if finding["subject"] == "worker page"
        ]

    return look


def codes(findings):
    return [code for code, _, _ in findings]


@pytest.mark.parametrize(
    ("task", "form"),
    [
        pytest.param(ONE_LABEL, element("crowd-image-classifier"), id="one-label"),
        pytest.param(ONE_LABEL, classifier(), id="one-label-of-any-content"),
        pytest.param(SEVERAL, element("crowd-image-classifier-multi-select"), id="several"),
        pytest.param(
            SEVERAL, classifier("crowd-classifier-multi-select"), id="several-of-any-content"
        ),
        pytest.param(MASKS, element("crowd-semantic-segmentation"), id="masks"),
    ],
)
def test_every_element_that_answers_in_the_right_form_is_well(task, form, looked_at):
    assert codes(looked_at(form, task)) == ["ok", "ok"]


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param("['duck', 'gull']", id="single-quotes"),
        pytest.param("[&quot;duck&quot;,'gull',]", id="mixed-quotes-and-a-comma"),
        pytest.param("\n\t[\n\t'duck',\n\t'gull'\n\t]", id="several-lines"),
        pytest.param(
            "[{% for name in task.input.labels %}'{{ name }}',{% endfor %}]", id="made-by-a-loop"
        ),
        pytest.param("{{ task.input.labels | to_json }}", id="escaped-by-itself"),
    ],
)
@pytest.mark.parametrize("task", JOB_TYPES.values())
def test_labels_may_be_written_as_aws_writes_them(task, labels, looked_at):
    assert codes(looked_at(element(task.page_element, labels=labels), task)) == ["ok", "ok"]


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param("duck, gull", id="no-list"),
        pytest.param("[duck, gull]", id="no-quotes"),
        pytest.param("['o'duck']", id="a-quote-within"),
        pytest.param("[" * 5_000, id="too-deep"),
        pytest.param("{'duck': 1}", id="an-object"),
        pytest.param(None, id="missing"),
    ],
)
def test_labels_that_no_browser_reads_are_an_error(labels, looked_at):
    findings = looked_at(element("crowd-image-classifier", labels=labels))
    assert ("page-labels", "error") in [finding[:2] for finding in findings]


def test_other_labels_than_the_job_s_are_a_warning(looked_at):
    page = element("crowd-image-classifier", labels="['duck', 'goose']")
    (_, (code, severity, text)) = looked_at(page)
    assert (code, severity) == ("page-labels", "warning")
    assert "goose" in text


def test_without_the_job_s_labels_a_page_s_own_are_not_judged(looked_at):
    page = element("crowd-image-classifier", labels="['duck', 'gull']")
    (_, (code, _, text)) = looked_at(page, labels=())
    assert code == "not-checked"
    assert "not known" in text


def test_an_element_of_any_content_has_to_show_the_image(looked_at):
    assert codes(looked_at(element("crowd-classifier", inside="<img src='a.jpg'>"))) == [
        "ok",
        "page-image",
    ]


@pytest.mark.parametrize(
    ("form", "named"),
    [
        pytest.param(
            f"<img src='{IMAGE}'><select name='bird'><option>duck<option>gull</select>",
            "select 'bird'",
            id="select",
        ),
        pytest.param("<input type=radio name=bird value=duck>", "input 'bird'", id="radio"),
        pytest.param(
            "<crowd-radio-button name=duck>x</crowd-radio-button>",
            "crowd-radio-button 'duck'",
            id="crowd-radio-button",
        ),
        pytest.param(
            "<crowd-checkbox name=bird value=duck></crowd-checkbox>",
            "crowd-checkbox 'bird'",
            id="crowd-checkbox",
        ),
        pytest.param(element("crowd-bounding-box"), "crowd-bounding-box", id="boxes"),
        pytest.param(
            element("crowd-image-classifier-multi-select"),
            "crowd-image-classifier-multi-select",
            id="another-job-type-s",
        ),
    ],
)
def test_what_is_not_read_is_an_error_that_names_it(form, named, looked_at):
    (_, (code, severity, text)) = looked_at(form)
    assert (code, severity) == ("page-element", "error")
    assert named in text


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("<!-- <crowd-image-classifier> -->", id="comment"),
        pytest.param("<script>'<crowd-image-classifier>'</script>", id="script"),
        pytest.param("<select name=sure><option>yes<option>no</select>", id="another-question"),
        pytest.param("<p>not closed <crowd-input name=why/>", id="sloppy"),
    ],
)
def test_what_else_stands_on_a_page_does_no_harm(more, looked_at):
    assert codes(looked_at(element("crowd-image-classifier") + more)) == ["ok", "ok"]
    assert codes(looked_at(more + element("crowd-image-classifier"))) == ["ok", "ok"]


def test_an_element_outside_the_form_is_an_error(looked_at):
    form = f"</crowd-form>{element('crowd-image-classifier')}"
    assert "page-form" in codes(looked_at(form))


@pytest.mark.parametrize("tag", SEVERAL.page_elements)
@pytest.mark.parametrize("written", ["{ text: 'none of these' }", "{'text': 'none of these'}"])
def test_the_page_and_the_job_have_the_same_exclusion_category(tag, written, looked_at):
    form = classifier(tag, exclusion_category=written)
    unknown = looked_at(form, SEVERAL)
    assert [finding[:2] for finding in unknown] == [("ok", "ok"), ("page-exclusion", "warning")]
    assert "'none of these'" in unknown[1][2]
    assert TAG in unknown[1][2]
    assert codes(looked_at(form, SEVERAL, tags={TAG: "none of these"})) == ["ok", "ok"]
    assert codes(looked_at(form, SEVERAL, labels=("duck", "none of these"))) == ["ok", "ok"]
    other = looked_at(form, SEVERAL, tags={TAG: "None of these"})
    assert ("page-exclusion", "error") in [finding[:2] for finding in other]


def test_an_exclusion_category_without_a_text_is_an_error(looked_at):
    form = element("crowd-image-classifier-multi-select", exclusion_category="none")
    assert ("page-exclusion", "error") in [f[:2] for f in looked_at(form, SEVERAL)]


def test_a_tag_for_what_the_page_does_not_offer_is_a_warning(looked_at):
    form = element("crowd-image-classifier-multi-select")
    findings = looked_at(form, SEVERAL, tags={TAG: "none"})
    assert ("page-exclusion", "warning") in [finding[:2] for finding in findings]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("known", "severity"),
    [
        pytest.param("none", None, id="the-same"),
        pytest.param("None", "error", id="another"),
        pytest.param("", "error", id="none"),
    ],
)
def test_the_function_s_own_exclusion_category_counts(known, severity, good_account, examined):
    account = good_account(SEVERAL)
    account.environment("ACS", ASSUME_JOB_ROLE="false", EXCLUSION_CATEGORY=known)
    account.put_page("header=", "exclusion-category=\"{ text: 'none' }\" header=")
    said = [f["severity"] for f in examined(account)["findings"] if f["code"] == "page-exclusion"]
    assert said == ([severity] if severity else [])


def test_our_own_pages_are_well(looked_at):
    for task in JOB_TYPES.values():
        page = (PAGES / f"{task.folder}.liquid.html").read_text(encoding="utf-8")
        form = page.partition("<crowd-form>")[2].partition("</crowd-form>")[0]
        assert codes(looked_at(form, task)) == ["ok", "ok"]
