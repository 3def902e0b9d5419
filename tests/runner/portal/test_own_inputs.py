"""A page that asks with a select of its own, as a sample of AWS does: from portal to report."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from labeljob.commands import app
from tests.runner.portal.live_portal import serve

pytestmark = pytest.mark.slow

PAGE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <img src="{{ task.input.taskObject | grant_read_access }}">
  <select name="animal" required>
    <option disabled selected value>Which?</option><option value="cat">Cat</option>
    <option value="dog">Dog</option>
  </select>
</crowd-form>
"""


COLORS = {"cat": "red", "dog": "blue", "nothing": "black"}


def test_what_a_select_and_the_buttons_beside_it_say_becomes_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    shown = {}
    for name, color in COLORS.items():
        path = Path("photos", f"{name}.png")
        Image.new("RGB", (32, 24), color).save(path)
        shown[path.read_bytes()] = name
    Path("page.liquid.html").write_text(PAGE, encoding="utf-8")

    def answer(image):
        if shown[image] == "nothing":
            reason = {"reason": "image-broken", "comment": "All is black."}
            return {"cannot-be-labeled": reason}
        return {"animal": shown[image]}

    command = [
        "portal", "photos", "--task", "image-multi-class", "--labels", "cat", "dog",
        "--template", "page.liquid.html", "--tag", "consolidation:answer-field=animal",
    ]  # fmt: skip
    job = Path("labeljob-store/labeljob/jobs/photos")
    with serve(tmp_path, command) as portal:
        assert portal.let_in(portal.links[1]).label_all("photos", answer) == 3
        labels = [line["label"] for line in portal.output_manifest("photos")]
    assert [label["class-name"] for label in labels] == ["cat", "dog", None]
    (aside,) = labels[2]["answers"]["set-aside"]
    assert aside["reason"] == "cannot-be-labeled"
    assert aside["detail"] == "image-broken: All is black."
    report = CliRunner().invoke(app, ["report", str(job), "--json"])
    assert report.exit_code == 0, report.output
    figures = json.loads(report.stdout)
    assert figures["answers"] == {"used": 2, "set-aside": {"cannot-be-labeled": 1}}
    assert list(figures["comments"]["2"].values()) == ["All is black."]
    assert "All is black." in Path("report.html").read_text(encoding="utf-8")
