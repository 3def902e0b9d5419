import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import filelock
import pytest

from groundtruth.worker_history import jsonl as json_file
from groundtruth.worker_history.jsonl import JsonFileSkills
from groundtruth.worker_history.store import SkillKey, SkillStoreError

pytestmark = pytest.mark.slow

KEY = SkillKey("t", ("a", "b"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIBRARY = Path(json_file.__file__).parent.parent.parent

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from groundtruth.worker_history.jsonl import JsonFileSkills
from groundtruth.worker_history.store import SkillKey
store = JsonFileSkills(Path(sys.argv[1]))
for n in range(int(sys.argv[2]), int(sys.argv[2]) + 40):
    lesson = {str(n): {"ann": {"0:0": 0.1}}}
    store.update_counts(SkillKey("t", ("a", "b")), job="j", updates=lesson, at=datetime.now(UTC))
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kept" / "skill.jsonl"


def teach(path, *objects, store=None):
    store = store or JsonFileSkills(path)
    lesson = {name: {"ann": {"0:0": 1.0}} for name in objects}
    store.update_counts(KEY, job="j", updates=lesson, at=NOW)
    return store


def known(path, batch="b", store=None):
    store = store or JsonFileSkills(path)
    history = store.history(KEY, batch_id=batch, workers=["ann"], at=NOW)
    return history["ann"].get("0:0", 0.0)


def test_it_outlives_the_process(path):
    teach(path, "1", "2")
    assert known(path) == 2
    teach(path, "2", "3")
    assert known(path) == 2
    assert known(path, "c") == 3


def test_a_store_sees_what_others_add(path):
    one = teach(path, "1")
    teach(path, "2")
    assert known(path, store=one) == 2


def test_what_is_known_already_is_not_written_again(path):
    store = teach(path, "1")
    known(path, store=store)
    size = path.stat().st_size
    teach(path, "1", store=store)
    known(path, store=store)
    assert path.stat().st_size == size


@pytest.mark.parametrize("lost", range(1, 60, 7))
def test_a_line_that_was_cut_off_was_never_written(path, lost):
    store = teach(path, "1")
    whole = path.read_bytes()
    teach(path, "2")
    assert lost < path.stat().st_size - len(whole)
    path.write_bytes(path.read_bytes()[:-lost])
    assert known(path, "b") == 1
    assert known(path, "c", store=store) == 1
    teach(path, "2")
    assert known(path, "d") == 2
    assert path.read_bytes().startswith(whole)


def test_a_file_cut_off_in_its_first_line_is_begun_anew(path):
    path.parent.mkdir()
    path.write_bytes(b'{"form')
    teach(path, "1")
    assert known(path) == 1


def test_a_file_that_is_taken_away_is_begun_anew(path):
    store = teach(path, "1")
    path.unlink()
    assert known(path, store=store) == 0
    teach(path, "1", store=store)
    assert known(path, "c") == 1


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b'{"format":"worker-skill/2"}',
        b"[]",
        b"{}",
        b'{"batch":"b","answer":"?"}',
        b'{"objects":[],"records":[["k"]]}',
    ],
)
@pytest.mark.parametrize("place", ["first", "later"])
def test_damage_is_an_error(path, line, place):
    teach(path, "1")
    before = path.read_bytes() if place == "later" else b""
    path.write_bytes(before + line + b"\n")
    for call in (teach, known):
        with pytest.raises(SkillStoreError, match=f"damaged at byte {len(before)}") as failure:
            call(path, *(["2"] if call is teach else []))
        assert failure.value.reason == "damaged"
    assert path.read_bytes() == before + line + b"\n"


def test_a_lock_that_is_held_is_waited_for_in_vain(path):
    path.parent.mkdir()
    with (
        filelock.FileLock(f"{path}.lock"),
        pytest.raises(SkillStoreError, match="held by others") as failure,
    ):
        teach(path, "1", store=JsonFileSkills(path, lock_seconds=0.05))
    assert failure.value.reason == "throttled"


def test_a_place_that_is_no_folder_is_an_error(path):
    path.parent.write_text("a file")
    with pytest.raises(SkillStoreError, match="cannot be used") as failure:
        teach(path, "1")
    assert failure.value.reason == "unavailable"


def test_processes_lose_nothing_and_count_nothing_twice(path):
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [
        subprocess.Popen([*command, str(start)], env={"PYTHONPATH": str(LIBRARY)})
        for start in (0, 20, 40)  # each shares half its objects with the next
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert known(path) == pytest.approx(8.0, abs=1e-12)


def test_a_long_line_that_was_cut_off_leaves_nothing_behind(path):
    teach(path, "1")
    with path.open("ab") as file:
        file.write(b'{"objects":' + b"x" * 10_000)
    teach(path, "2")
    assert path.read_bytes().endswith(b"\n")
    assert known(path) == 2
