"""Gold labels: whether their file can be used, and where a job should have some."""

import json
import shlex

import pytest
from typer.testing import CliRunner

from labeljob.commands import app
from tests.runner.doctor.account import BUCKET
from tests.runner.doctor.reports import errors, of, said

pytestmark = pytest.mark.slow

URI = f"s3://{BUCKET}/gold.jsonl"
TAG = {"Key": "consolidation:gold-labels-s3-uri", "Value": URI}


def lines_labeled_before(n_ducks, n_lines=120):
    return [
        json.dumps(
            {
                "source-ref": f"s3://{BUCKET}/images/{at}.png",
                "first": 0,
                "first-metadata": {"class-name": "duck" if at < n_ducks else "gull"},
            }
        )
        for at in range(n_lines)
    ]


def gold_lines(count):
    return "".join(
        json.dumps({"source-ref": f"s3://{BUCKET}/images/{at}.png", "label": "gull"}) + "\n"
        for at in range(count)
    )


def test_a_rare_class_wants_known_objects_and_the_command_draws_them(
    account, examined, tmp_path, monkeypatch
):
    lines = lines_labeled_before(12)
    manifest = tmp_path / "input.manifest"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    account.put_manifest(*lines)
    report = examined(account, "--manifest", manifest)
    (advice,) = of(report, "gold-advised")
    assert advice["severity"] == "warning"
    assert "10% are 'duck', and no known objects" in advice["text"]
    (command,) = [line for line in advice["fix"].splitlines() if line.startswith("labeljob")]
    monkeypatch.chdir(tmp_path)
    outcome = CliRunner().invoke(app, shlex.split(command)[1:])
    assert outcome.exit_code == 0, outcome.output
    assert len((tmp_path / "gold.jsonl").read_text().splitlines()) == 30
    (of_s3,) = of(examined(account), "gold-advised")
    assert of_s3["fix"].startswith(f"aws s3 cp s3://{BUCKET}/input.manifest .\nlabeljob gold draw")


@pytest.mark.parametrize(
    ("n_ducks", "known", "advised"), [(12, 29, True), (12, 30, False), (60, 0, False)]
)
def test_enough_known_objects_or_even_classes_want_none(account, examined, n_ducks, known, advised):
    account.put_manifest(*lines_labeled_before(n_ducks))
    if known:
        account.put("gold.jsonl", gold_lines(known))
        account.request["Tags"] = [*account.request.get("Tags", []), TAG]
    report = examined(account)
    assert bool(of(report, "gold-advised")) == advised
    assert ("gold", "gold-unreadable") not in errors(report)


def test_a_gold_file_that_is_absent_or_cannot_be_read_is_an_error(account, examined):
    account.request["Tags"] = [*account.request.get("Tags", []), TAG]
    assert ("gold", "gold-absent") in errors(examined(account))
    account.put("gold.jsonl", '{"source-ref": "s3://b/1.png", "label": null}\n')
    (finding,) = of(examined(account), "gold-unreadable")
    assert finding["text"].startswith('line 1: needs "label": "<name>"')


def test_without_earlier_labels_nothing_is_advised(account, examined):
    report = examined(account)
    assert ("gold", "ok") in said(report, "ok")
    assert of(report, "gold-advised") == []
