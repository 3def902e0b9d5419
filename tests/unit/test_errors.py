import pytest

from groundtruth import errors


def test_every_error_is_one_of_the_tree():
    raised = [
        errors.SettingsError("x"),
        errors.UnknownTaskError("video", known=["image-multi-class"]),
        errors.ContractError("x", path="a.b"),
        errors.StorageError("x", uri="s3://b/k", reason="not-found"),
        errors.JobLookupError("x"),
        errors.UnusableAnswer("bad-png", "x"),
    ]
    here = [each for each in vars(errors).values() if isinstance(each, type)]
    named = {each for each in here if each.__module__ == errors.__name__}
    assert {type(error) for error in raised} == named - {errors.GroundTruthError}
    assert all(isinstance(error, errors.GroundTruthError) for error in raised)
    assert all(type(error).__name__ in (errors.__doc__ or "") for error in raised)


@pytest.mark.parametrize(
    ("error", "part"),
    [
        pytest.param(errors.ContractError("is missing", path="payload.s3Uri"), "payload.s3Uri: "),
        pytest.param(errors.StorageError("x", uri="s3://b/k", reason="not-found"), "s3://b/k: "),
        pytest.param(errors.UnusableAnswer("bad-png", "x"), "bad-png: "),
    ],
)
def test_an_error_says_where(error, part):
    assert str(error).startswith(part)


def test_a_job_that_cannot_be_described_is_not_transient_unless_said():
    assert not errors.JobLookupError("x").transient
