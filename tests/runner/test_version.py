import tomllib
from pathlib import Path

from typer.testing import CliRunner

from labeljob.commands import app

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_version_is_the_project_s():
    version = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"labeljob {version}\n")
