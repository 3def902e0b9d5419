"""A crew is hired as its text says, or refused with the part that is wrong."""

import pytest

from labeljob.simulation.behavior import BEHAVIORS, create_synthetic_workers
from labeljob.simulation.workers import CrewError
from labeljob.tasks.registry import find_job_type

pytestmark = pytest.mark.slow

MASKS = find_job_type("semantic-segmentation")


@pytest.mark.parametrize("behavior", [name for name in BEHAVIORS if name != "copycat"])
def test_every_behavior_can_be_hired(behavior):
    crew = create_synthetic_workers(f"careful,{behavior}:3", task=MASKS, seed=1)
    assert [member.behavior for member in crew] == ["", behavior, behavior, behavior]


def test_kinds_of_the_simulated_crowd_keep_their_skill_and_their_pair():
    crew = create_synthetic_workers("careless,confuser=ant/bee:2", task=MASKS, seed=1)
    assert [member.answer_model.kind for member in crew] == ["careless", "confuser", "confuser"]
    assert crew[1].answer_model.confused_classes(["bee", "ant"]) == (1, 0)


def test_copycats_share_a_mind_in_pairs_and_nothing_else():
    crew = create_synthetic_workers("copycat:4", task=MASKS, seed=1)
    minds = [member.answer_model.worker_id for member in crew]
    assert minds == [crew[0].worker.worker_id] * 2 + [crew[2].worker.worker_id] * 2
    assert len({member.worker.worker_id for member in crew}) == 4


def test_a_number_hires_a_mixed_crew():
    assert len(create_synthetic_workers("12", task=MASKS, seed=1)) == 12


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
        create_synthetic_workers(text, task=MASKS, seed=1)


@pytest.mark.parametrize("behavior", ["flooding", "empty"])
def test_who_only_paints_is_not_hired_to_choose(behavior):
    with pytest.raises(CrewError, match="paints masks"):
        create_synthetic_workers(behavior, task=find_job_type("image-multi-class"), seed=1)
