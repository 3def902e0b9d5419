"""The Parquet tables, read back as users do."""

import json

import pytest

pa = pytest.importorskip("pyarrow", reason="pyarrow is of the extra exports")
pandas = pytest.importorskip("pandas")

from labeljob.commands.tables import tables  # noqa: E402 - needs the packages above
from labeljob.formats.tables import TABLES, schemas  # noqa: E402
from tests.real_data import real_data  # noqa: E402
from tests.runner.command_line import run  # noqa: E402
from tests.runner.history import job_folders as on_disk  # noqa: E402

pytestmark = pytest.mark.slow


def read(folder):
    return {name: pandas.read_parquet(folder / f"{name}.parquet") for name in TABLES}


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
        stored = pa.parquet.read_schema(tmp_path / "t" / f"{name}.parquet")
        assert stored.equals(schema)


def test_polars_reads_the_real_job(tmp_path):
    polars = pytest.importorskip("polars")
    outcome = run(tables, real_data("birds-job"), "-o", tmp_path / "t")
    assert outcome.exit_code == 0, outcome.output
    answers = polars.read_parquet(tmp_path / "t" / "answers.parquet")
    assert answers.height == 1510
    assert answers["worker_id"].n_unique() == 97
