from datetime import UTC, datetime

import pytest

from groundtruth.errors import ContractError
from groundtruth.finishing.outcomes import ResponseIndex
from tests.unit.finishing.ended_jobs import ATTRIBUTE, RESPONSES, Job


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path / "store")


@pytest.fixture
def index(tmp_path):
    with ResponseIndex(tmp_path / "responses.sqlite") as opened:
        yield opened


def read(index, job, attribute=ATTRIBUTE):
    return index.read(f"{RESPONSES}/", attribute, job.store)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param((1, "2026-03-02_10:00:00"), (1, "2026-03-02_10:00:01"), id="time"),
        pytest.param((2, "2026-03-02_10:00:00"), (10, "2026-03-01_09:00:00"), id="iteration"),
        pytest.param((1, "2026-03-02_10:00:00"), (1, "2026-03-02_10:00:00.5"), id="fraction"),
    ],
)
def test_the_last_response_wins(index, job, earlier, later):
    for value, (iteration, time) in enumerate([earlier, later]):
        job.response({7: {ATTRIBUTE: value}}, iteration=iteration, time=time)
    read(index, job)
    assert index.get("7").content == {ATTRIBUTE: 1}
    assert len(index) == 1


def test_a_response_knows_the_time_of_its_file(index, job):
    job.response({0: {ATTRIBUTE: 1}}, time="2026-03-02_10:15:31")
    job.response({1: {ATTRIBUTE: 1}}, time="2026-03-02T10-15-31.25")
    job.response({2: {ATTRIBUTE: 1}}, time="last")
    read(index, job)
    moment = datetime(2026, 3, 2, 10, 15, 31, tzinfo=UTC)
    times = [index.get(str(at)).file_time for at in range(3)]
    assert times == [moment, moment.replace(microsecond=250_000), None]


def test_only_the_job_s_attribute_is_kept(index, job):
    content = {ATTRIBUTE: 1, f"{ATTRIBUTE}-metadata": {"x": 1}, "else": 2}
    job.response({0: content})
    read(index, job)
    assert index.get("0").content == {ATTRIBUTE: 1, f"{ATTRIBUTE}-metadata": {"x": 1}}
    assert index.get("1") is None


@pytest.mark.parametrize("key", ["kind", "kind-metadata"])
def test_the_first_response_tells_an_attribute_that_is_not_known(index, job, key):
    job.response({}, time="2026-03-02_10:00:00")
    job.response({0: {key: {}}}, time="2026-03-02_10:00:01")
    assert read(index, job, None) == "kind"


def test_what_has_another_shape_is_left_out(index, job):
    job.write(f"{RESPONSES}/iteration-1/a.json", '{"no": "list"}')
    job.write(f"{RESPONSES}/iteration-1/b.json", '[1, {"datasetObjectId": "0"}, {}]')
    assert read(index, job) == ATTRIBUTE
    assert len(index) == 0


def test_a_response_that_is_not_json_is_named(index, job):
    job.write(f"{RESPONSES}/iteration-1/a.json", "[")
    with pytest.raises(ContractError, match=r"iteration-1/a\.json: is not JSON"):
        read(index, job)
