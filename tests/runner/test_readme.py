"""The README's commands that need no account, as a reader runs them, and what it says."""

import io
import json
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from labeljob.commands import app
from tests.runner.portal.live_portal import serve

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ("cat", "dog")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands_of(remark):
    block = re.search(rf"<!-- {re.escape(remark)} -->\n```sh\n(.*?)```", README, re.DOTALL)
    return [shlex.split(line)[1:] for line in block[1].splitlines()]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder of photographs below the one that the reader is in: the later ones are red."""
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for at in range(4):
        Image.new("RGB", (32, 24), (60 * at, 90, 120)).save(f"photos/{at}.jpg")


def look(image):
    with Image.open(io.BytesIO(image)) as picture:
        return "dog" if picture.convert("RGB").getpixel((9, 9))[0] > 90 else "cat"


def test_a_stranger_gets_from_photographs_to_a_finished_export(photos, tmp_path):
    command, team, report, export = commands_of("run by tests/runner/test_readme.py")
    with serve(tmp_path, command) as portal:
        added = CliRunner().invoke(app, team)
        assert added.exit_code == 0, added.stderr
        links = dict(line.split("\t") for line in added.stdout.splitlines())
        assert list(links) == team[2:]
        for link in links.values():
            assert portal.let_in(link).label_all("photos", look) == 4
        assert len(portal.output_manifest("photos")) == 4
    for command in (report, export):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.stderr
    (page,) = Path().glob("*.html")
    assert len(re.findall("data:image/(?:jpeg|webp);", page.read_text(encoding="utf-8"))) >= 4
    names = {name: {file.name for file in Path("labeled", name).iterdir()} for name in CLASSES}
    assert names == {"cat": {"0.jpg", "1.jpg"}, "dog": {"2.jpg", "3.jpg"}}


def test_a_rehearsal_runs(photos):
    for command in commands_of("run by tests/runner/test_readme.py, before people label"):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.stderr
    (manifest,) = Path("labeljob-store").glob("**/output.manifest")
    assert len(manifest.read_text().splitlines()) == 4


def test_three_lines_of_python_label_the_answers_of_the_notebook(monkeypatch):
    monkeypatch.chdir(ROOT / "docs/notebooks")
    (lines,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    exec(lines, names)
    assert names["labels"].value_counts().sum() == 40


def test_its_figures_are_those_of_the_benchmarks():
    row = "Does the confidence tell right from wrong labels? (AUROC of a real job) | {} |"
    page = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    _, _, measured = page.partition(row.partition("{}")[0])
    aws, ours = re.search(r"AUROC (0\.\d+).*?\((0\.\d+)\)", README).groups()
    assert re.match(rf"{ours};[^|]*\| AWS's function {aws};", measured)


@pytest.mark.parametrize(("place", "file"), [(0, "payload.json"), (1, "response.json")])
def test_the_json_of_the_contract_is_that_of_the_examples(place, file):
    page = (ROOT / "docs/reference/contract.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    example = json.loads((ROOT / "events/acs_image_multi_class" / file).read_text())
    assert json.loads(blocks[place]) in example


def test_every_command_is_in_the_list():
    names = set(CliRunner().invoke(app, ["--help"]).stdout.split())
    listed = set(re.findall(r"`labeljob (\w+)", (ROOT / "docs/reference/labeljob.md").read_text()))
    assert listed <= names
    assert {command.name for command in app.registered_commands} <= listed


@pytest.mark.xdist_group("demonstration")
def test_the_demonstration_labels_what_workers_saw(demonstration):
    output = demonstration
    lines = {
        path.parts[-4]: [json.loads(line) for line in path.read_text().splitlines()]
        for path in output.glob("labeljob/jobs/*/manifests/output/output.manifest")
    }
    assert {name: len(found) for name, found in lines.items()} == {
        "demo-textures": 40,
        "demo-scenes": 16,
        "demo-regions": 4,
    }
    right = sum(
        f"/{line['texture']['class-name']}-" in line["source-ref"]
        for line in lines["demo-textures"]
    )
    assert right >= 38
    for name in lines:
        with Image.open(output / f"{name}.png") as picture:
            assert min(picture.size) > 700
