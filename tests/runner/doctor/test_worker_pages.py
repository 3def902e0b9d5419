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

    def look(
        form, task=ONE_LABEL, *, labels=("duck", "gull"), tags=None, page=None, line=None,
        say=lambda finding: (finding["code"], finding["severity"], finding["text"]),
    ):  # fmt: skip
        files = {name: tmp_path / name for name in ("job.json", "labels.json", "page.html")}
        request = good_request(task)
        request["Tags"] = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
        files["job.json"].write_text(json.dumps(request), encoding="utf-8")
        categories = {
            "document-version": "2018-11-28",
            "labels": [{"label": name} for name in labels],
        }
        files["labels.json"].write_text(json.dumps(categories), encoding="utf-8")
        page = (page or "{script}\n<crowd-form>\n{form}\n</crowd-form>\n").replace("{form}", form)
        files["page.html"].write_bytes(page.replace("{script}", SCRIPT).encode())
        known = [f"--label-categories={files['labels.json']}"] if labels else []
        if line is not None:
            (tmp_path / "input.manifest").write_text(json.dumps(line) + "\n", encoding="utf-8")
            known.append(f"--manifest={tmp_path / 'input.manifest'}")
        result = run(
            doctor, files["job.json"], "--offline", "--json", f"--ui-template={files['page.html']}",
            *known,
        )  # fmt: skip
        return [
            say(finding)
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
        pytest.param("{{- task.input.labels | to_json | escape_once -}}", id="no-blanks-around"),
        pytest.param("['{{ task.input.labels | join: \"', '\" }}']", id="joined"),
        pytest.param("['gull', /* first */ 'duck']", id="in-another-order"),
        pytest.param("[&#39;duck&#39;, 'g&#x75;ll']", id="entities"),
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
        pytest.param("", id="empty"),
        pytest.param("{{ task.input.labels }}", id="without-to-json"),
        pytest.param("{{ task.input.labels | to_json | skip_autoescape }}", id="ended-by-a-quote"),
        pytest.param("{{ task.input.labels | to_json | escape | escape }}", id="escaped-twice"),
        pytest.param("[\u2018duck\u2019, \u2018gull\u2019]", id="typographic-quotes"),
    ],
)
def test_labels_that_no_browser_reads_are_an_error(labels, looked_at):
    findings = looked_at(element("crowd-image-classifier", labels=labels))
    assert ("page-labels", "error") in [finding[:2] for finding in findings]


@pytest.mark.parametrize(
    "labels", [("a duck's", 'a "gull"'), ("a & b", "<i>"), ("Ente", "日本"), ("a]b", "{{ c }}")]
)
@pytest.mark.parametrize("written", [LABELS, "{{ task.input.labels | to_json }}"])
def test_labels_may_have_any_characters(written, labels, looked_at):
    form = element("crowd-image-classifier", labels=written)
    assert codes(looked_at(form, labels=labels)) == ["ok", "ok"]


FORM = element("crowd-image-classifier")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("\ufeff{script}<crowd-form>{form}</crowd-form>", id="byte-order-mark"),
        pytest.param("{script}\r\n<crowd-form>\r\n{form}\r\n</crowd-form>\r\n", id="crlf"),
        pytest.param("{script}<CROWD-FORM>{form}</Crowd-Form>", id="upper-case"),
        pytest.param("{script}<crowd-form>{form}", id="form-not-closed"),
        pytest.param("<crowd-form>{script}<div><p>{form}</crowd-form>", id="nested-and-sloppy"),
        pytest.param(
            "<!DOCTYPE html><head>{script}</head><body><crowd-form>{form}</crowd-form></body>",
            id="whole-document",
        ),
        pytest.param(
            "{% comment %}{form}{% endcomment %}<!-- {form} -->{script}"
            "<crowd-form>{form}</crowd-form>",
            id="commented-out-before",
        ),
        pytest.param(
            f"{SCRIPT.replace('https:', '').replace('.js', '.js?v=1')}<crowd-form>{{form}}"
            "</crowd-form>",
            id="script-without-a-scheme",
        ),
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(FORM, id="as-ours"),
        pytest.param(FORM.replace("classifier ", "classifier\n\t"), id="lines"),
        pytest.param(FORM.replace("></crowd-image-classifier>", "/>"), id="closes-itself"),
        pytest.param(FORM.replace("</crowd-image-classifier>", ""), id="not-closed"),
        pytest.param(
            FORM.replace("<crowd-image", "<Crowd-Image").replace(" src=", " SRC= "), id="mixed-case"
        ),
        pytest.param(FORM.replace('"', "'"), id="single-quotes"),
    ],
)
def test_a_page_may_be_written_as_browsers_take_it(page, form, looked_at):
    assert codes(looked_at(form, page=page)) == ["ok", "ok"]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        pytest.param(
            "<!-- {script} --><crowd-form>{form}</crowd-form>", "page-script", id="script"
        ),
        pytest.param("{script}<crowd-form><!-- {form} --></crowd-form>", "page-element", id="all"),
        pytest.param("{script}{form}<crowd-form></crowd-form>", "page-form", id="outside"),
        pytest.param("{script}{form}", "page-form", id="no-form"),
        pytest.param(
            "{script}<crowd-form>{form}</crowd-form><crowd-form></crowd-form>",
            "page-form",
            id="two-forms",
        ),
        pytest.param("{script}<crowd-form>{form}{form}</crowd-form>", "page-elements", id="twice"),
        pytest.param(
            "{script}<crowd-form answer-format='flatten-objects'>{form}</crowd-form>",
            "page-form",
            id="answers-taken-apart",
        ),
        pytest.param(
            "{script}{% if x %}<crowd-form>{form}</crowd-form>", "page-render", id="liquid"
        ),
    ],
)
def test_a_page_that_gives_no_answer_is_an_error(page, code, looked_at):
    assert (code, "error") in [finding[:2] for finding in looked_at(FORM, page=page)]


@pytest.mark.parametrize("name", [None, ""])
def test_an_element_without_a_name_is_an_error(name, looked_at):
    findings = looked_at(element("crowd-image-classifier", name=name))
    assert [finding[:2] for finding in findings] == [("ok", "ok"), ("page-input-name", "error")]


def test_a_finding_tells_the_line_of_the_element_itself(looked_at):
    page = (
        "<!--\r\n{form} -->\r\n{% comment %}\n{form}{% endcomment %}\n{script}<crowd-form>\n{form}"
    )
    form = "<Crowd-Image-Classifier header='Look'></Crowd-Image-Classifier>"
    said = looked_at(form, page=page, say=lambda finding: (finding["code"], finding["where"][-2:]))
    assert ("page-input-name", ":6") in said


def test_a_page_may_use_what_the_manifest_s_lines_have(looked_at):
    form = FORM + "{{ task.input.manifestLine.title }}"
    assert codes(looked_at(form)) == ["not-checked"]
    line = {"source-ref": "s3://birds/1.png", "title": "A bird"}
    assert codes(looked_at(form, line=line)) == ["ok", "ok"]
    assert codes(looked_at(form, line={"source-ref": "s3://birds/1.png"})) == ["page-render"]


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


@pytest.mark.parametrize("written", ["none", "", "{ text: '' }", "{ text: 1 }", "['none']"])
def test_an_exclusion_category_without_a_text_is_an_error(written, looked_at):
    form = element("crowd-image-classifier-multi-select", exclusion_category=written)
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


FIELD = "consolidation:answer-field"
PICTURE = f"<img src='{IMAGE}'>"
SELECT = (
    f"{PICTURE}<select name='bird'><option disabled selected>which?"
    "<option value=duck>Duck<option>gull</select>"
)


@pytest.mark.parametrize(
    ("task", "field", "form"),
    [
        pytest.param(ONE_LABEL, "bird", SELECT, id="select"),
        pytest.param(
            ONE_LABEL, "bird",
            f"{PICTURE}<input type=radio name=bird value=duck><input type=RADIO name=bird "
            "value=gull>",
            id="radio",
        ),
        pytest.param(
            ONE_LABEL, "duck gull",
            f"{PICTURE}<crowd-radio-group><crowd-radio-button name=duck>x</crowd-radio-button>"
            "<crowd-radio-button name=gull value=gull>y</crowd-radio-button></crowd-radio-group>",
            id="a-name-per-button",
        ),
        pytest.param(
            SEVERAL, "bird",
            f"{PICTURE}<crowd-checkbox name=bird value=duck></crowd-checkbox>"
            "<crowd-checkbox name=bird value=gull></crowd-checkbox>",
            id="checkboxes",
        ),
        pytest.param(SEVERAL, "bird", SELECT.replace("<select", "<select multiple"), id="multiple"),
    ],
)  # fmt: skip
def test_an_input_of_the_form_can_carry_the_label(task, field, form, looked_at):
    (_, (code, _, _)) = looked_at(form, task)
    assert code == "page-element"
    (fix,) = filter(None, looked_at(form, task, say=lambda finding: finding["fix"]))
    assert f"{FIELD} with the value {field};" in fix
    assert codes(looked_at(form, task, tags={FIELD: field})) == ["ok", "ok"]


@pytest.mark.parametrize(
    ("task", "form", "expected"),
    [
        pytest.param(
            ONE_LABEL, SELECT.replace("name='bird'", "name='animal'"), ("page-element", "error"),
            id="another-name",
        ),
        pytest.param(
            ONE_LABEL, f"</crowd-form>{SELECT}", ("page-element", "error"), id="outside-the-form"
        ),
        pytest.param(
            ONE_LABEL, SELECT.replace(IMAGE, "duck.jpg"), ("page-image", "error"), id="no-image"
        ),
        pytest.param(
            ONE_LABEL, SELECT.replace("gull", "goose"), ("page-labels", "warning"), id="labels"
        ),
        pytest.param(
            ONE_LABEL, SELECT.replace("<option>gull", ""), ("page-labels", "warning"), id="fewer"
        ),
        pytest.param(
            ONE_LABEL, f"{PICTURE}<crowd-input name=bird>", ("page-labels", "warning"), id="typed"
        ),
        pytest.param(
            ONE_LABEL, SELECT.replace("<select", "<select multiple"), ("page-labels", "warning"),
            id="several-of-one",
        ),
        pytest.param(MASKS, SELECT, ("page-element", "error"), id="masks"),
    ],
)  # fmt: skip
def test_a_named_input_that_does_not_fit_is_told(task, form, expected, looked_at):
    findings = looked_at(form, task, tags={FIELD: "bird"})
    assert expected in [finding[:2] for finding in findings]


def test_the_exclusion_category_may_be_a_choice_of_an_input(looked_at):
    form = SELECT.replace("<option>gull", "<option>gull<option>neither").replace(
        "<select", "<select multiple"
    )
    assert codes(looked_at(form, SEVERAL, tags={FIELD: "bird", TAG: "neither"})) == ["ok", "ok"]
    assert "page-labels" in codes(looked_at(form, SEVERAL, tags={FIELD: "bird"}))


def test_pages_that_show_an_earlier_label_are_well(looked_at):
    tags = {"consolidation:earlier-attribute": "bird"}
    page = (PAGES / "verification.liquid.html").read_text(encoding="utf-8")
    choices = ("right", "wrong: it is gull", "unsure")
    labeled = {"bird": {"class-id": 0, "class-name": "gull", "confidence": 0.9}}
    for line in (None, {}, labeled):
        source = None if line is None else {"source-ref": "s3://birds/1.jpg", **line}
        said = looked_at("", page=page, labels=choices, tags=tags, line=source)
        assert codes(said) == ["ok", "ok"], line
