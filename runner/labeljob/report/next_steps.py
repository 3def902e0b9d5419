"""What to do next about a job, worked out from its figures: the most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeljob.messages import format_count
from labeljob.metrics.agreement import Agreement
from labeljob.report.confusion import rank_mistakes
from labeljob.report.contents import Contents

POOR_AGREEMENT = 0.667
"""Krippendorff's alpha below which no conclusions are drawn of a class."""

OBJECTS, CLASSES = "objects", "classes"
"""Sections of the page that steps lead to."""

SHOWN = 8
"""Workers or classes that a step names."""


@dataclass(frozen=True)
class Link:
    """A way to another part of the page: its text, the id it leads to, and what follows it."""

    text: str
    target: str
    note: str = ""


@dataclass(frozen=True)
class Command:
    """A command for a shell, and what it does, as the end of a sentence that begins with it."""

    text: str
    purpose: str

    def as_json(self) -> dict[str, Any]:
        """The command for `--json`."""
        return {"command": self.text, "purpose": self.purpose}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do.

    Attributes
    ----------
    name : str
        One word that stays the same.
    title : str
        What to do, as a sentence without its full stop.
    why : str
        What in the job asks for it; may be empty.
    links : tuple of Link
        Where in the page it is shown.
    commands : tuple of Command
        That do it, in their order.
    place : str
        Where in the portal's page of the job it is done: an id there; empty if nowhere.
    """

    name: str
    title: str
    why: str
    links: tuple[Link, ...] = ()
    commands: tuple[Command, ...] = ()
    place: str = ""

    def as_json(self) -> dict[str, Any]:
        """The step for `--json`."""
        return {
            "step": self.name,
            "title": self.title,
            "why": self.why,
            "commands": [command.as_json() for command in self.commands],
        }


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Words commands about the job of the report.

    Attributes
    ----------
    propose : callable
        Gives a command about the job, read as the report has read it, of its name and arguments.
    images : tuple of str
        The option that says where images are, with its value; empty without one.
    has_images : bool
        Whether images of the job can be read.
    """

    propose: Callable[..., str]
    images: tuple[str, ...] = ()
    has_images: bool = False

    def word(self, purpose: str, command: str, *arguments: str) -> Command:
        """A command about the job, and what it does."""
        return Command(self.propose(command, *arguments), purpose)


def plan_steps(contents: Contents, commands: Commands) -> list[Step]:
    """What to do about a job; there is always something, if it is to take the labels."""
    planners: Sequence[Callable[[Contents, Commands], Step | None]] = (
        _replace_confidences,
        _label_again,
        _look_at_unlabelable,
        _check_workers,
        _talk_to_workers,
        _explain_mistake,
        _sharpen_classes,
        _learn_truth,
        _collect_rare_classes,
        _look_at_disputed,
        _take_labels,
    )
    steps = (plan(contents, commands) for plan in planners)
    return [step for step in steps if step is not None]


def _replay(contents: Contents, commands: Commands, purpose: str) -> tuple[Command, str]:
    """The replay that makes the labels of the report, and the manifest that it writes."""
    algorithm = contents.replayed or contents.job.task.algorithms[0]
    folder = f"{_short_name(contents)}-{algorithm}"
    command = commands.word(purpose, "replay", "--algorithm", algorithm, "--output", folder)
    return command, f"{folder}/object.manifest"


def _short_name(contents: Contents) -> str:
    return contents.job.name.rpartition("/")[2]


def _replace_confidences(contents: Contents, commands: Commands) -> Step | None:
    builtin = contents.builtin
    if builtin is None or not builtin.tells_little:
        return None
    text = builtin.describe_frequent()
    if builtin.doubtful:
        text += (
            f"; by our algorithm {builtin.algorithm}, {len(builtin.doubtful)} that the built-in "
            f"function is sure of have less than {contents.below:g}"
        )
    below = f"{contents.below:g}"
    replay, manifest = _replay(contents, commands, "makes labels with confidences of their own")
    requeue = commands.word(
        "writes the manifest of those that are unsure by them",
        *("requeue", "--manifest", manifest, "--below", below),
    )
    return Step(
        name="replace-confidences",
        title="Do not go by the built-in confidences",
        why=f"{text}.",
        links=(Link("Theirs beside ours", "builtin"),),
        commands=(replay, requeue),
    )


def _label_again(contents: Contents, commands: Commands) -> Step | None:
    if not contents.requeue:
        return None
    arguments: tuple[str, ...] = ("--below", f"{contents.below:g}")
    made: tuple[Command, ...] = ()
    if contents.replayed:
        replay, manifest = _replay(contents, commands, "makes the labels that this page is about")
        made, arguments = (replay,), ("--manifest", manifest, *arguments)
    return Step(
        name="label-again",
        title=f"Label {format_count(len(contents.requeue), 'data object')} again",
        why=f"Their label is missing, tied, or has a confidence below {contents.below:g}.",
        links=(Link("Which they are", OBJECTS),),
        commands=(*made, commands.word("writes their manifest", "requeue", *arguments)),
        place="requeue",
    )


def _look_at_unlabelable(contents: Contents, commands: Commands) -> Step | None:
    count = len(contents.unlabelable)
    if not count:
        return None
    return Step(
        name="look-at-unlabelable",
        title=f"Look at {format_count(count, 'data object')} that cannot be labeled",
        why="Workers say so: an image is to be replaced, or a class is missing.",
        links=(Link("What they say", "unlabelable"),),
    )


def _check_workers(contents: Contents, commands: Commands) -> Step | None:
    suspects = contents.suspects
    if not suspects:
        return None
    return Step(
        name="check-workers",
        title=f"Check {format_count(len(suspects), 'worker')} before trusting or paying more",
        why="A flag is a reason to look, not a verdict.",
        links=tuple(
            Link(
                worker.name,
                f"worker-{worker.worker_id}",
                ", ".join(dict.fromkeys(flag for flag, _ in worker.flags)),
            )
            for worker in suspects[:SHOWN]
        ),
        commands=(commands.word("writes all that is known of workers", "tables"),),
        place="workers-title",
    )


def _talk_to_workers(contents: Contents, commands: Commands) -> Step | None:
    falling = [
        (worker, curve)
        for worker in contents.workers
        if (curve := contents.learning.get(worker.worker_id)) and curve.trend == "falling"
    ]
    if not falling:
        return None
    return Step(
        name="talk-to-workers",
        title=f"Ask {format_count(len(falling), 'worker')} whose agreement falls",
        why="They may be tired, or unsure since something changed; objects may be harder, too.",
        links=tuple(
            Link(
                worker.name,
                f"worker-{worker.worker_id}",
                f"{_round_share(curve.before)} → {_round_share(curve.after)}",
            )
            for worker, curve in falling[:SHOWN]
        ),
    )


def _explain_mistake(contents: Contents, commands: Commands) -> Step | None:
    mistakes = rank_mistakes(contents)
    if not mistakes:
        return None
    asked, made, _, share = mistakes[0]
    return Step(
        name="explain-mistake",
        title=f"Explain {asked} against {made} in the instructions",
        why=f"Where the others say {asked}, {_round_share(share)} of the answers say {made}.",
        links=(Link("All confusions", "confusion"),),
    )


def _sharpen_classes(contents: Contents, commands: Commands) -> Step | None:
    weak = _find_weak(contents.without or contents.agreement)
    if not weak:
        return None
    shown = ", ".join(f"{name} (alpha {alpha:.2f})" for name, alpha in list(weak.items())[:SHOWN])
    more = f" and {len(weak) - SHOWN} more" if len(weak) > SHOWN else ""
    return Step(
        name="sharpen-classes",
        title="Sharpen what "
        + ("this class means" if len(weak) == 1 else f"these {len(weak)} classes mean"),
        why=f"Workers agree too little on {shown}{more}.",
        links=(Link("Agreement by class", CLASSES),),
    )


def _find_weak(agreement: Agreement) -> Mapping[str, float]:
    """Classes that workers do not agree on, and their alpha, the lowest first."""
    weak = [
        (alpha, name)
        for name, (alpha, _) in agreement.by_class.items()
        if alpha < POOR_AGREEMENT  # one that is not known is not
    ]
    return {name: alpha for alpha, name in sorted(weak)}


def _learn_truth(contents: Contents, commands: Commands) -> Step | None:
    gold = contents.gold
    if gold is None:
        return None
    file = f"{_short_name(contents)}.gold.jsonl"
    algorithm = contents.job.task.algorithms[0]
    draw = ("--count", str(gold.objects), "--output", file)
    return Step(
        name="learn-truth",
        title=f"Learn the truth of {gold.objects} data objects, drawn at random",
        why=f"{_round_share(gold.share)} of the answers are {gold.rare}. Whether it is so rare, or "
        "workers miss it or see it too often, votes do not tell; known objects do.",
        commands=(
            commands.word("draws them; write their true labels into the file", "gold draw", *draw),
            commands.word(
                "makes new labels by them", "replay", "--algorithm", algorithm, "--gold", file
            ),
            commands.word("tells what that is worth", "plan"),
        ),
    )


def _collect_rare_classes(contents: Contents, commands: Commands) -> Step | None:
    rare = [share for share in contents.balance if share.is_rare]
    if not rare:
        return None
    named = ", ".join(f"{share.name} ({share.labels})" for share in rare[:SHOWN])
    more = f" and {len(rare) - SHOWN} more" if len(rare) > SHOWN else ""
    return Step(
        name="collect-rare-classes",
        title="Find more of "
        + (rare[0].name if len(rare) == 1 else format_count(len(rare), "rare class", "classes")),
        why=f"Too few labels to train on them, or to tell how good they are: {named}{more}.",
        links=(Link("Class balance", "balance"),),
    )


def _look_at_disputed(contents: Contents, commands: Commands) -> Step | None:
    if not contents.disputes or not contents.disputes[0][0]:
        return None
    object_id = contents.disputes[0][1].object_id
    return Step(
        name="look-at-disputed",
        title="Look at the most disputed objects",
        why="They show what the instructions leave open.",
        links=(Link("Most disputed first", OBJECTS),),
        commands=(commands.word("tells why it has its label", "explain", object_id),),
        place="disputed-title",
    )


def _take_labels(contents: Contents, commands: Commands) -> Step | None:
    if not contents.labels:
        return None
    task = contents.job.task
    copies = commands.has_images and "imagefolder" not in task.export_problems
    name = "imagefolder" if copies else "csv"
    arguments = ("--format", name, "--output", f"{_short_name(contents)}-{name}", *commands.images)
    made: tuple[Command, ...] = ()
    if contents.replayed:
        replay, manifest = _replay(contents, commands, "makes the labels that this page is about")
        made, arguments = (replay,), (*arguments, "--manifest", manifest)
    urgent = contents.requeue or contents.suspects
    return Step(
        name="take-labels",
        title="Take the labels",
        why="Those that are sure can be used; the rest may follow." if urgent else "",
        commands=(*made, commands.word("writes them for training", "export", *arguments)),
    )


def _round_share(share: float) -> str:
    return f"{100 * share:.0f} %"
