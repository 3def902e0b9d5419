"""`labeljob explain`: why a data object has its label."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

from labeljob import messages
from labeljob.actions.reading import (
    choose_algorithm,
    open_job,
    print_read_errors,
    read_all_annotations,
)
from labeljob.commands.explain import ExplainOptions
from labeljob.history import explanation
from labeljob.history.auxiliary_inputs import add_auxiliary_inputs
from labeljob.history.explanation import Explanation, Vote, find_object
from labeljob.history.replay import list_calls, make_single_call
from labeljob.metrics.dependence import FEW_PAIRS, SCALE, describe_pairs
from labeljob.metrics.workers import flag_workers, tabulate_workers

LONGEST_COMMENT = 500
"""Characters of a comment that a terminal shows; ``--json`` has them all."""


def explain(options: ExplainOptions) -> None:
    """Do what `labeljob explain` does."""
    result = _explain(options)
    if options.as_json:
        messages.print_json(result.as_json())
    else:
        print_read_errors(result.job.damage)
        _report(result)


def _explain(options: ExplainOptions) -> Explanation:
    job, auxiliary = add_auxiliary_inputs(choose_algorithm(open_job(options), options.algorithm))
    object_id = find_object(job, options.object_name)
    annotations = read_all_annotations(job)
    with messages.console.status("Consolidating without each answer"):
        classes = job.unit_classes
        workers = tabulate_workers(annotations, job.task, len(classes))
        flag_workers(workers, annotations, job.task, classes)
        calls = list_calls(job) if options.calls else make_single_call(job)
        return explanation.explain(job, object_id, calls, annotations, workers, auxiliary)


def _report(result: Explanation) -> None:
    values = result.as_json()
    settings, call = values["settings"], values["call"]
    messages.done(f"Data object {values['object']}  {values['source']}")
    messages.table(
        "Label",
        ("", "label", "confidence"),
        [
            ("in the manifest", *_format_label(values["manifest"])),
            (f"by {settings['algorithm']}", *_format_result(result)),
        ],
    )
    _show_dependence(result, settings["algorithm"])
    messages.table(
        "Votes",
        ("worker", "said", "seconds", "agrees with others in this job", "without this answer"),
        [_format_vote(vote) for vote in result.votes],
    )
    for item in result.annotations.rejected:
        detail = shorten(item.detail, LONGEST_COMMENT)
        messages.note(f"set aside: {item.worker_id}, {item.reason} ({detail})")
    for worker_id, comment in result.annotations.comments.items():
        if worker_id in result.annotations.unlabelable:
            continue  # it stands beside the reason
        messages.note(f"comment of {worker_id}: {shorten(comment, LONGEST_COMMENT)}")
    if result.posterior:
        title = "Posterior" if result.posterior_from == "algorithm" else "Shares of the votes"
        rows = sorted(result.posterior.items(), key=lambda row: -row[1])
        messages.table(title, ("class", "probability"), [(n, f"{v:.4f}") for n, v in rows])
    messages.done(
        f"Settings: algorithm {settings['algorithm']}, quorum {settings['quorum']}, "
        f"min-confidence {settings['min-confidence']} (hash {settings['hash']}); "
        f"consolidated together with "
        f"{messages.format_count(call['objects'] - 1, 'other object')}, {call['made-at']}"
    )


def _show_dependence(result: Explanation, algorithm: str) -> None:
    effect = result.dependence
    if effect is None:
        return
    found = effect.found
    rows = [
        (f"by {algorithm}", f"{found.value:.2f}", _format_confidence(effect.confidence)),
        ("if they were independent", "0", _format_confidence(effect.if_independent)),
        ("if they went together", "1", _format_confidence(effect.if_dependent)),
    ]
    told = result.manifest.dependence if result.manifest else None
    if told is not None and result.manifest:
        confidence = _format_confidence(result.manifest.confidence)
        rows.insert(0, ("in the manifest", f"{told.value:.2f}", confidence))
    messages.table("How far errors go together", ("", "dependence", "confidence"), rows)
    messages.note(f"dependence is on a scale from 0 to 1. {SCALE}")
    few = ""
    if found.pairs < FEW_PAIRS:
        few = f"; with fewer than {FEW_PAIRS:,}, what is usual of crews counts for more than these"
    messages.note(
        f"{found.value:.2f} comes from a correlation of errors of {found.correlation:.3f}, found "
        f"from {describe_pairs(found)}, none of them to this one{few}"
    )
    if told is not None and told.pairs != found.pairs:
        lost = "; what those taught is not known here" if told.earlier_pairs else ""
        messages.note(f"the label in the manifest was made from {describe_pairs(told)}{lost}")


def _format_confidence(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _format_label(label: dict[str, Any] | None) -> tuple[str, str]:
    if label is None:
        return ("no label", "-")
    return (label.get("mask") or ", ".join(label["classes"]), f"{label['confidence']:.4f}")


def _format_result(result: Explanation) -> tuple[str, str]:
    value = result.result
    if "class-map" in value:
        confidences = ", ".join(
            f"{confidence:.4f}" for confidence in value["confidence-map"].values()
        )
        return (f"{', '.join(value['class-map'].values())} ({result.status})", confidences)
    name = "mask" if "mask-ref" in value else value["class-name"] or "no label"
    return (f"{name} ({result.status})", f"{value['confidence']:.4f}")


def _format_vote(vote: Vote) -> tuple[str, str, str, str, str]:
    worker = vote.worker
    low, high = worker.interval
    flags = "".join(f", {flag}" for flag, _ in worker.flags)
    agreement = f"{worker.agreement:.0%} of {worker.answers} ({low:.0%} to {high:.0%}){flags}"
    without = "-"
    if vote.without is not None:
        label, confidence = vote.without
        without = label if confidence is None else f"{label} {confidence:.4f}"
    seconds = "-" if vote.seconds is None else f"{vote.seconds:.1f}"
    return (worker.name, vote.said, seconds, agreement if worker.agreements else "-", without)
