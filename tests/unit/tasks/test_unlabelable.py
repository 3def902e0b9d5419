"""Answers that say that the object cannot be labeled, in labels of every job type."""

import pytest

from tests.examples import TASKS, consolidate, example, rejected

LONG = "too dark " * 50


@pytest.mark.parametrize("function", list(TASKS))
@pytest.mark.parametrize("style", ["object", "builtin"])
def test_the_reason_stands_among_the_answers_set_aside(function, style):
    payload = example(function, "payload")[:2]
    content = {"cannot-be-labeled": {"reason": "image-unclear", "comment": LONG}}
    unclear, (*others, last) = payload[0], payload[1]["annotations"]
    for annotation in (*unclear["annotations"], last):
        annotation["annotationData"] = {"content": content}
    outcome = consolidate(function, [unclear, payload[1]], output_style=style)
    nobody, most = outcome.labels
    assert nobody.status == "no-usable-answer"
    assert {item.reason for item in nobody.rejected} == {"cannot-be-labeled"}
    assert most.used <= len(others)
    assert most.classes
    first, _ = (item["consolidatedAnnotation"]["content"] for item in outcome.response)
    if style == "builtin":
        (metadata,) = first.values()
        count = len(unclear["annotations"])
        assert metadata["failure-reason"] == f"no-usable-answer: {count} cannot-be-labeled"
    else:
        (label,) = first.values()
        assert len(rejected(label)) == len(unclear["annotations"])
        details = {item["detail"] for item in label["answers"]["set-aside"]}
        assert details == {f"image-unclear: {LONG}"[:200]}
