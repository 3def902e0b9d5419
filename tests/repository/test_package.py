"""The wheel: it brings the built pages, so that its users need no Node.js."""

import zipfile

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def names(wheel):
    """Names of the files in the wheel."""
    return zipfile.ZipFile(wheel).namelist()


def test_the_built_pages_are_in_the_wheel(names):
    made = {"elements.js", "worker.js", "owner.js", "portal.css", "licenses.txt"}
    assert {f"labeljob/portal/static/{name}" for name in made} <= set(names)


def test_what_pages_are_built_of_is_not_in_the_wheel(names):
    assert [name for name in names if "/pages/" in name or name.endswith(".map")] == []


def test_the_application_is_in_the_wheel(names):
    assert "labeljob/_application/template.yaml" in names
    assert "labeljob/_application/worker_templates/image_multi_class.liquid.html" in names
