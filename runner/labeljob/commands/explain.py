"""`labeljob explain`: why a data object has its label."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from labeljob import messages
from labeljob.commands import analysis_options as given
from labeljob.history.annotations import read_annotations
from labeljob.history.auxiliary_inputs import with_side_files
from labeljob.history.explanation import Explanation, Vote, object_named
from labeljob.history.explanation import explain as explained
from labeljob.history.replay import all_at_once, calls_of
from labeljob.metrics.suspicions import flag_workers
from labeljob.metrics.workers import tabulate_workers

ObjectName = Annotated[
    str,
    typer.Argument(
        metavar="OBJECT",
        help="The data object: its line number from 0, its image's URI, or its file's name.",
        show_default=False,
    ),
]
Calls = Annotated[
    bool,
    typer.Option(
        "--calls/--all-at-once",
        help="Consolidate it with its own call's objects as the service did, or with all.",
    ),
]


def explain(
    job: given.Job,
    object_name: ObjectName,
    algorithm: given.Algorithm = None,
    task: given.Task = None,
    labels: given.Labels = None,
    attribute: given.Attribute = None,
    calls: Calls = True,
    endpoint_url: given.Endpoint = None,
    as_json: given.AsJson = False,
) -> None:
    """Show why a data object has its label: votes, what each weighs, posterior, settings.

    Nothing is written. What the label would be without each answer tells what the answer weighs.

    Example: labeljob explain birds-job 165 --algorithm builtin
    """
    with messages.problems_told():
        found = given.opened(
            job, task=task, labels=labels, attribute=attribute, endpoint_url=endpoint_url
        )
        found, side_files = with_side_files(given.chosen_algorithm(found, algorithm))
        object_id = object_named(found, object_name)
        with given.bar("Reading answers", len(found.object_ids())) as advance:
            objects = list(read_annotations(found, advance=advance))
        with messages.console.status("Consolidating without each answer"):
            classes = found.unit_classes
            workers = tabulate_workers(objects, found.task, len(classes))
            flag_workers(workers, objects, found.task, classes)
            made_of = calls_of(found) if calls else all_at_once(found)
            result = explained(found, object_id, made_of, objects, workers, side_files)
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2, ensure_ascii=False))
    else:
        given.tell_damage(found.damage)
        _report(result)


def _report(result: Explanation) -> None:
    values = result.as_json()
    settings, call = values["settings"], values["call"]
    messages.done(f"Data object {values['object']}  {values['source']}")
    messages.table(
        "Label",
        ("", "label", "confidence"),
        [
            ("in the manifest", *_words(values["manifest"])),
            (f"by {settings['algorithm']}", *_result(result)),
        ],
    )
    messages.table(
        "Votes",
        ("worker", "said", "seconds", "agrees with others in this job", "without this answer"),
        [_vote(vote) for vote in result.votes],
    )
    for item in result.annotations.rejected:
        messages.note(f"set aside: {item.worker_id}, {item.reason} ({item.detail})")
    if result.posterior:
        title = "Posterior" if result.posterior_from == "algorithm" else "Shares of the votes"
        rows = sorted(result.posterior.items(), key=lambda row: -row[1])
        messages.table(title, ("class", "probability"), [(n, f"{v:.4f}") for n, v in rows])
    messages.done(
        f"Settings: algorithm {settings['algorithm']}, quorum {settings['quorum']}, "
        f"min-confidence {settings['min-confidence']} (hash {settings['hash']}); "
        f"consolidated together with {call['objects'] - 1} other objects, {call['made-at']}"
    )


def _words(label: dict[str, Any] | None) -> tuple[str, str]:
    if label is None:
        return ("no label", "-")
    return (label.get("mask") or ", ".join(label["classes"]), f"{label['confidence']:.4f}")


def _result(result: Explanation) -> tuple[str, str]:
    value = result.result
    if "class-map" in value:
        sure = ", ".join(f"{one:.4f}" for one in value["confidence-map"].values())
        return (f"{', '.join(value['class-map'].values())} ({result.status})", sure)
    name = "mask" if "mask-ref" in value else value["class-name"] or "no label"
    return (f"{name} ({result.status})", f"{value['confidence']:.4f}")


def _vote(vote: Vote) -> tuple[str, str, str, str, str]:
    worker = vote.worker
    low, high = worker.interval
    flags = "".join(f", {flag}" for flag, _ in worker.flags)
    known = f"{worker.agreement:.0%} of {worker.answers} ({low:.0%} to {high:.0%}){flags}"
    without = "-"
    if vote.without is not None:
        label, confidence = vote.without
        without = label if confidence is None else f"{label} {confidence:.4f}"
    seconds = "-" if vote.seconds is None else f"{vote.seconds:.1f}"
    return (worker.name, vote.said, seconds, known if worker.agreements else "-", without)
