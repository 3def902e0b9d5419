"""How the command starts: it loads what it needs, tells its options, and ends at Ctrl-C."""

import re
import shlex
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from labeljob.commands import COMMANDS, app, load_command
from labeljob.tasks.registry import JOB_TYPES

HEAVY = {
    "PIL", "boto3", "botocore", "liquid", "matplotlib", "msgspec", "numpy", "pandas", "pyarrow",
    "rich", "scipy", "skimage", "sklearn", "starlette",
}  # fmt: skip
RARE = {"boto3", "botocore", "liquid", "matplotlib", "moto", "pandas", "scipy", "sklearn"}
"""What the work of most commands does without."""

LOADED = """
import atexit, sys
atexit.register(lambda: sys.stderr.write(" ".join(sys.modules)))
sys.argv = ["labeljob", *sys.argv[1:]]
from labeljob.cli import main
main()
"""

LOADED_BY_HELP = """
import contextlib, io, sys
from labeljob.commands import COMMANDS, app, load_command
for name in COMMANDS:
    for words in [[name], *([name, part] for part in getattr(load_command(name), "commands", ()))]:
        with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.suppress(SystemExit):
            app([*words, "--help"])
        assert "Usage: " in text.getvalue(), words
print(*sys.modules)
"""

LOADED_BY_WORK = """
import importlib, pkgutil, sys
from labeljob import actions
for module in pkgutil.iter_modules(actions.__path__):
    importlib.import_module(f"labeljob.actions.{module.name}")
print(*sys.modules)
"""

INTERRUPTED = """
import signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == interrupted:
            sys.meta_path.remove(self)
            signal.raise_signal(int(number))

interrupted, number = sys.argv[1:3]
sys.argv = ["labeljob", *sys.argv[3:]]
from labeljob.cli import main
sys.meta_path.insert(0, Interrupt())
main()
"""


def run_python(program, *arguments):
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_list_of_commands_loads_none_of_them(option):
    result = run_python(LOADED, option)
    assert result.returncode == 0
    modules = set(result.stderr.split())
    light = {name.partition(".")[0] for name in modules}
    assert light & HEAVY == set()
    assert [name for name in modules if name.startswith("labeljob.commands.")] == []


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        pytest.param(LOADED_BY_HELP, HEAVY, id="help"),
        pytest.param(LOADED_BY_WORK, RARE, id="work"),
    ],
)
def test_what_is_not_needed_is_not_loaded(program, unwanted):
    result = run_python(program)
    assert result.returncode == 0, result.stderr
    assert set(result.stdout.split()) & unwanted == set()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("labeljob rep", ["replay", "report"], id="command"),
        pytest.param("labeljob export job --pre", ["--prefix"], id="option"),
        pytest.param("labeljob export job --format co", ["coco"], id="choice"),
        pytest.param("labeljob synthesize --task ", list(JOB_TYPES), id="job-type"),
        pytest.param("labeljob team li", ["list"], id="command-of-a-group"),
    ],
)
def test_the_shell_completes(words, expected):
    about = {"_LABELJOB_COMPLETE": "complete_bash", "COMP_WORDS": words}
    result = CliRunner().invoke(
        app, prog_name="labeljob", env={**about, "COMP_CWORD": str(words.count(" "))}
    )
    assert result.output.split() == expected


def test_the_help_names_values_by_words():
    texts = [CliRunner().invoke(app, [name, "--help"]).output for name in COMMANDS]
    kinds = re.compile(r"<(?:list\[.*?\]|(?:int|float) range|int|float|str|path|file|dir)>")
    assert kinds.findall("".join(texts)) == []
    assert "--seed NUMBER" in texts[[*COMMANDS].index("run")]


def test_no_line_of_the_help_is_cut():
    text = CliRunner().invoke(app, ["--help"]).stdout
    listed = dict(re.findall(r"^  ([a-z]+) +([A-Z].*)$", text, re.MULTILINE))
    assert listed == {name: line for name, (_, line) in COMMANDS.items()}
    assert "..." not in CliRunner().invoke(app, ["gold", "--help"]).stdout.partition("Commands:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_help_opens_with_what_it_does(name):
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert load_command(name).help.split()[:3] == result.stdout.split("\n\n")[1].split()[:3]


@pytest.mark.parametrize("arguments", [["request"], ["gold", "mix"], ["run"]])
def test_an_example_is_one_line_to_be_copied(arguments):
    lines = CliRunner().invoke(app, [*arguments, "--help"]).stdout.splitlines()
    (example,) = [line for line in lines if line.startswith("  Example: ")]
    assert lines[lines.index(example) + 1] == ""
    assert shlex.split(example)[2 : 2 + len(arguments)] == arguments


def test_the_help_tells_defaults_in_words():
    text = " ".join(CliRunner().invoke(app, ["replay", "--help"]).stdout.split())
    assert "[default: the job's, else the job type's]" in text


def test_a_name_that_is_no_command_is_met_with_one_that_is_like_it():
    result = CliRunner().invoke(app, ["repot"])
    assert result.exit_code == 2
    assert re.search("No such command 'repot'. Did you mean 'report'", result.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "number"),
    [
        ("typer", signal.SIGINT),
        ("labeljob.commands.labels", signal.SIGINT),
        ("numpy", signal.SIGINT),
        ("numpy", signal.SIGTERM),
        ("json.tool", signal.SIGINT),
    ],
)
def test_ctrl_c_and_sigterm_end_the_start_with_one_line(module, number, tmp_path):
    command = ("labels", "cat", "dog", "-o", str(tmp_path / "labels"))
    result = run_python(INTERRUPTED, module, str(int(number)), *command)
    if module == "json.tool":  # which nothing loads
        assert (result.returncode, (tmp_path / "labels").exists()) == (0, True)
    else:
        assert result.returncode == 128 + number
        assert result.stderr == ("interrupted. Run the same command again to do what is left.\n")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["run", "replay", "report", "explain", "pool", "import"])
def test_the_help_lists_the_algorithms(name):
    text = CliRunner().invoke(app, [name, "--help"]).stdout
    listed = re.search(r"--algorithm <(.+)>", text)[1].split("|")
    assert set(listed) == {name for task in JOB_TYPES.values() for name in task.algorithms}


@pytest.mark.parametrize(
    ("option", "value"), [("--algorithm", "magic"), ("--task", "text"), ("--output-style", "aws")]
)
def test_a_value_that_is_no_choice_is_met_with_those_there_are(option, value, tmp_path):
    (tmp_path / "a.manifest").touch()
    arguments = ["run", str(tmp_path / "a.manifest"), "--labels", "a,b", option, value]
    arguments += [] if option == "--task" else ["--task", "image-multi-class"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert re.search(rf"Invalid value for '{option}': '{value}' is not one of \S+, ", result.stderr)
