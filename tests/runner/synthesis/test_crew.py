"""A crew is hired as its text says, or refused with the part that is wrong."""

import pytest

from labeljob.simulation.behavior import HABITS, hire_crew
from labeljob.simulation.workers import CrewError
from labeljob.task_types import TaskType

pytestmark = pytest.mark.slow

MASKS = TaskType.SEMANTIC_SEGMENTATION


@pytest.mark.parametrize("habit", [name for name in HABITS if name != "copycat"])
def test_every_habit_can_be_hired(habit):
    crew = hire_crew(f"careful,{habit}:3", task=MASKS, seed=1)
    assert [member.habit for member in crew] == ["", habit, habit, habit]


def test_kinds_of_the_simulated_crowd_keep_their_skill_and_their_pair():
    crew = hire_crew("careless,confuser=ant/bee:2", task=MASKS, seed=1)
    assert [member.mind.kind for member in crew] == ["careless", "confuser", "confuser"]
    assert crew[1].mind.confused_classes(["bee", "ant"]) == (1, 0)


def test_copycats_share_a_mind_in_pairs_and_nothing_else():
    crew = hire_crew("copycat:4", task=MASKS, seed=1)
    minds = [member.mind.worker_id for member in crew]
    assert minds == [crew[0].worker.worker_id] * 2 + [crew[2].worker.worker_id] * 2
    assert len({member.worker.worker_id for member in crew}) == 4


def test_a_number_hires_a_mixed_crew():
    assert len(hire_crew("12", task=MASKS, seed=1)) == 12


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("wizard:2", "no such kind", id="unknown-kind"),
        pytest.param("copycat:3", "pairs", id="odd-copycats"),
        pytest.param("skill=high", "a number", id="no-number"),
        pytest.param("skill=1.5", "between 0 and 1", id="not-a-share"),
        pytest.param("tired:0", "positive whole number", id="nobody"),
        pytest.param("tired:x", "positive whole number", id="no-count"),
        pytest.param("3,tired", "3", id="number-among-kinds"),
    ],
)
def test_what_cannot_be_hired_is_named(text, said):
    with pytest.raises(CrewError, match=said):
        hire_crew(text, task=MASKS, seed=1)


@pytest.mark.parametrize("habit", ["flooding", "empty"])
def test_who_only_paints_is_not_hired_to_choose(habit):
    with pytest.raises(CrewError, match="paints masks"):
        hire_crew(habit, task=TaskType.IMAGE_MULTI_CLASS, seed=1)
