from groundtruth.worker_history.dynamodb import DynamoDbSkills
from groundtruth.worker_history.jsonl import JsonFileSkills
from groundtruth.worker_history.store import open_skills


def test_the_environment_names_the_store(tmp_path):
    file = {"GROUNDTRUTH_SKILL_FILE": str(tmp_path / "skill.jsonl")}
    assert isinstance(open_skills({}, table_name="skill"), DynamoDbSkills)
    assert isinstance(open_skills(file, table_name="skill"), JsonFileSkills)
    assert isinstance(open_skills(file, table_name=""), JsonFileSkills)
    assert open_skills({}, table_name="") is None
    assert list(tmp_path.iterdir()) == []
