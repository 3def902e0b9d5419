"""The request, the functions, the labels and the page broken in turn."""

import pytest

from labeljob.doctor.planned_job import ACS, PRE
from labeljob.tasks.registry import find_job_type
from tests.runner.doctor.account import function_arn
from tests.runner.doctor.reports import errors, not_checked, of, said
from tests.runner.labeling_requests import PUBLIC_TEAM
from tests.stub_service import json_reply

pytestmark = pytest.mark.slow

SINGLE, MULTI = find_job_type("image-multi-class"), find_job_type("image-multi-class-multi-label")


def set_field(path, value):
    """A change of the request; None takes the field out."""

    def change(account):
        *steps, last = path.split(".")
        place = account.request
        for step in steps:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return change


def human(field, value):
    return set_field(f"HumanTaskConfig.{field}", value)


def pending(account):
    name = function_arn("ACS", SINGLE).rpartition(":")[2]
    account.clients["lambda"].delete_function(FunctionName=name)


BROKEN = {
    "attribute-ref": (set_field("LabelAttributeName", "bird-ref"), "request", "label-attribute"),
    "attribute-source": (set_field("LabelAttributeName", "source"), "request", "label-attribute"),
    "attribute-form": (set_field("LabelAttributeName", "a_b"), "request", "label-attribute"),
    "many-workers": (human("NumberOfHumanWorkersPerDataObject", 10), "request", "worker-count"),
    "time": (human("TaskTimeLimitInSeconds", 30_000), "request", "time-limit"),
    "turk-time": (human("WorkteamArn", PUBLIC_TEAM), "request", "availability"),
    "no-title": (human("TaskTitle", None), "request", "request-field"),
    "not-an-object": (set_field("InputConfig", []), "request", "request-field"),
    "swapped": (human("PreHumanTaskLambdaArn", f"{function_arn('ACS', SINGLE)}:live"),
                "functions", "function-name"),
    "other-task": (human("PreHumanTaskLambdaArn", f"{function_arn('PRE', MULTI)}:live"),
                   "functions", "function-name"),
    "other-region": (
        human("PreHumanTaskLambdaArn", function_arn("PRE", SINGLE).replace("us-east", "eu-west")),
        "functions", "region",
    ),
    "no-alias": (human("PreHumanTaskLambdaArn", f"{function_arn('PRE', SINGLE)}:prod"),
                 "functions", "alias-absent"),
    "no-function": (pending, "functions", "function-absent"),
    "labels-twice": (lambda a: a.put_labels("duck", "gull", "duck"), "labels", "labels"),
    "one-label": (lambda a: a.put_labels("duck"), "labels", "labels"),
    "no-labels": (lambda a: a.put("labels.json", "{}"), "labels", "labels"),
    "labels-not-text": (lambda a: a.put_labels("duck", "gull", 7), "labels", "labels-form"),
    "labels-not-json": (lambda a: a.put("labels.json", "duck"), "labels", "labels-unreadable"),
    "labels-not-utf-8": (lambda a: a.put("labels.json", b'"\xff"'), "labels", "labels-unreadable"),
    "labels-absent": (set_field("LabelCategoryConfigS3Uri", "s3://birds-groundtruth/none.json"),
                      "labels", "file-absent"),
    "page-absent": (human("UiConfig", {"UiTemplateS3Uri": "s3://birds-groundtruth/none.html"}),
                    "worker page", "file-absent"),
    "page-without-form": (lambda a: a.put_page("<crowd-form>", "<form>"),
                          "worker page", "page-form"),
    "page-without-script": (lambda a: a.put_page("crowd-html-elements.js", "other.js"),
                            "worker page", "page-script"),
    "page-of-another-task": (lambda a: a.put_page("<crowd-image-classifier", "<crowd-polygon"),
                             "worker page", "page-element"),
    "page-without-access": (lambda a: a.put_page(" | grant_read_access", ""),
                            "worker page", "page-image"),
    "page-without-name": (lambda a: a.put_page('name="crowd-image-classifier"', ""),
                          "worker page", "page-input-name"),
    "page-with-unknown-variable": (lambda a: a.put_page("input.taskObject", "input.image"),
                                   "worker page", "page-render"),
    "page-with-unknown-filter": (lambda a: a.put_page("grant_read_access", "s3_presign"),
                                 "worker page", "page-render"),
    "page-with-odd-labels": (lambda a: a.put_page(" | to_json", " | join: ','"),
                             "worker page", "page-labels"),
    "page-too-long": (lambda a: a.put_page("<crowd-form>", f"<crowd-form>{'x' * 128_000}"),
                      "worker page", "page-too-long"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_an_error(name, account, examined):
    break_it, subject, code = BROKEN[name]
    break_it(account)
    report = examined(account)
    assert (subject, code) in errors(report)
    assert all(finding["fix"] for finding in of(report, code))


@pytest.mark.parametrize(
    ("change", "subject", "code"),
    [
        pytest.param(
            lambda a: a.put_labels("duck", "gull", **{"document-version": "1"}),
            "labels", "labels-version", id="version",
        ),
        pytest.param(lambda a: a.put_labels("a", "A"), "labels", "labels-advice", id="like"),
        pytest.param(
            lambda a: a.put_page('name="crowd-image-classifier"', 'name="answer"'),
            "worker page", "page-input-name", id="name",
        ),
        pytest.param(
            lambda a: a.put_page('{{ task.input.labels | to_json | escape }}', '[&quot;a&quot;]'),
            "worker page", "page-labels", id="other-labels",
        ),
        pytest.param(
            human("PreHumanTaskLambdaArn", function_arn("PRE", SINGLE)),
            "functions", "function-name", id="no-alias",
        ),
        pytest.param(
            human("TaskAvailabilityLifetimeInSeconds", 60), "request", "availability", id="times"
        ),
    ],
)  # fmt: skip
def test_what_may_surprise_is_a_warning(change, subject, code, account, examined):
    change(account)
    report = examined(account)
    assert errors(report) == set()
    assert (subject, code) in said(report, "warning")


def test_a_place_in_the_page_is_given_by_its_line(account, examined):
    account.put_page(" | grant_read_access", "")
    (finding,) = of(examined(account), "page-image")
    assert finding["where"] == "s3://birds-groundtruth/page.liquid.html:4"


def test_the_name_of_an_earlier_job_is_taken(account, examined, sagemaker):
    sagemaker.replies = [json_reply({})]
    assert errors(examined(account)) == {("work", "job-name-taken")}


def test_functions_of_other_names_need_the_job_type(account, examined):
    for field, part in ((PRE, "p"), (ACS, "a")):
        name = f"arn:aws:lambda:us-east-1:123456789012:function:my-SageMaker-{part}:live"
        set_field(field, name)(account)
    assert {"request", "worker page"} <= not_checked(examined(account))
    assert "worker page" not in not_checked(examined(account, f"--task={SINGLE.name}"))
