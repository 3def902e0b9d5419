"""The tables, read back as users do."""

import csv
import json
from datetime import datetime

import pandas as pd
import polars as pl
import pytest
from pyarrow import parquet

from labeljob.commands.tables import tables
from labeljob.formats.tables import TABLES, schemas
from tests.real_data import real_data
from tests.runner.command_line import run
from tests.runner.history import job_folders as on_disk

pytestmark = pytest.mark.slow


def read(folder):
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}


def test_every_answer_is_a_row_and_the_tables_join(zoo, tmp_path):
    bad = on_disk.response({"ann": on_disk.chosen("cat"), "dee": {"nothing": 1}})
    on_disk.write(on_disk.response_path(zoo, "0", "2026-03-03_10:00:30"), bad)
    outcome = run(tables, zoo, "-o", tmp_path / "t", "--json")
    assert outcome.exit_code == 0, outcome.output
    found = read(tmp_path / "t")
    assert json.loads(outcome.stdout)["rows"] == {name: len(found[name]) for name in TABLES}
    answers = found["answers"]
    assert len(answers) == 8
    (refused,) = answers[~answers.usable].to_dict("records")
    assert (refused["worker_id"], refused["reason"]) == ("dee", "unexpected-shape")
    assert set(answers.worker_id) == set(found["workers"].worker_id)
    assert set(answers.object_id) <= set(found["objects"].object_id)
    assert found["objects"].labels.map(list).tolist() == [["cat"], ["dog"], ["dog"]]
    pairs = found["pairs"].set_index(["worker_a", "worker_b"])
    assert pairs.loc[("ann", "bob"), "agreement"] == 1.0
    assert pairs.loc[("bob", "cy"), "agreement"] == 0.5


def test_schemas_are_kept_even_where_a_column_is_empty(harbour, tmp_path):
    folder, _, _ = harbour
    assert run(tables, folder, "--labels", "water,boat,quay", "-o", tmp_path / "t").exit_code == 0
    for name, schema in schemas().items():
        stored = parquet.read_schema(tmp_path / "t" / f"{name}.parquet")
        assert stored.equals(schema)


def test_polars_reads_the_real_job(tmp_path):
    outcome = run(tables, real_data("birds-job"), "-o", tmp_path / "t")
    assert outcome.exit_code == 0, outcome.output
    answers = pl.read_parquet(tmp_path / "t" / "answers.parquet")
    assert answers.height == 1510
    assert answers["worker_id"].n_unique() == 97


def test_csv_files_hold_the_same_rows(scenes, tmp_path):
    folder, manifest = scenes
    lines = [*map(json.loads, manifest.read_text().splitlines()), {"source-ref": "s3://x/a, b.jpg"}]
    on_disk.write_manifest(folder, lines)
    assert run(tables, folder, "--labels", "eel,cat,dog", "-o", tmp_path / "t").exit_code == 0
    stored = read(tmp_path / "t")
    told = {
        name: list(csv.DictReader((tmp_path / "t" / f"{name}.csv").read_text().splitlines()))
        for name in TABLES
    }
    for name in TABLES:
        assert len(told[name]) == len(stored[name])
        assert list(told[name][0]) == list(stored[name])
    first, second = told["objects"]
    assert (first["labels"], first["label_ids"]) == ("cat;dog", "1;2")
    assert [float(part) for part in first["confidences"].split(";")] == list(
        stored["objects"].confidences[0]
    )
    assert (first["answers"], float(first["confidence"])) == ("2", stored["objects"].confidence[0])
    assert datetime.fromisoformat(first["labeled_at"]) == stored["objects"].labeled_at[0]
    assert (second["source"], second["labels"], second["labeled_at"]) == ("s3://x/a, b.jpg", "", "")
    assert {row["usable"] for row in told["answers"]} == {"true"}
    assert told["answers"][0]["submitted_at"] == "2026-03-02T10:00:10+00:00"


def test_what_a_worker_wrote_is_no_formula_of_a_spreadsheet(zoo, tmp_path):
    texts = {"ann": "=HYPERLINK(1)", "bob": "-- blurred", "cy": "a = b"}
    answers = {who: on_disk.chosen("cat") | {"workerComment": text} for who, text in texts.items()}
    on_disk.write(on_disk.response_path(zoo, "0"), on_disk.response(answers))
    assert run(tables, zoo, "-o", tmp_path / "t").exit_code == 0
    assert read(tmp_path / "t")["answers"].comment.dropna().tolist() == list(texts.values())
    told = pd.read_csv(tmp_path / "t/answers.csv").comment.dropna().tolist()
    assert told == ["'=HYPERLINK(1)", "'-- blurred", "a = b"]


def test_blank_lines_are_no_rows(zoo, tmp_path):
    lines = [json.dumps(on_disk.builtin_line(at, name)) for at, name in enumerate(["cat", "dog"])]
    text = "\r\n".join(["\ufeff" + lines[0], "", " \t", lines[1], "", ""])
    on_disk.write(zoo / "manifests/output/output.manifest", text)
    for object_id in ("1", "2"):
        on_disk.response_path(zoo, object_id).unlink()
    outcome = run(tables, zoo, "-o", tmp_path / "t", "--json")
    assert json.loads(outcome.stdout)["rows"]["objects"] == 2
    objects = read(tmp_path / "t")["objects"]
    assert objects.object_id.tolist()[0] == "0"
    assert objects.labels.map(list).tolist() == [["cat"], ["dog"]]
    assert objects.source.tolist() == ["s3://images/0.jpg", "s3://images/1.jpg"]
    assert objects.answers.tolist() == [3, 0]
