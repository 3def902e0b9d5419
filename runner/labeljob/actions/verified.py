"""`labeljob verified`: what a verification found, as known objects and as the next round."""

from __future__ import annotations

from pathlib import Path

from groundtruth.errors import StorageError
from groundtruth.finishing.manifest import Line
from labeljob import messages
from labeljob.columns.lines import choose_attribute, read_output_lines
from labeljob.commands.verified import VerifiedOptions
from labeljob.history.job_files import DamageList
from labeljob.jobs.description import JobError
from labeljob.jobs.job_location import JobPlace, find_job
from labeljob.output_files import draft_folder, write_text
from labeljob.rounds.earlier_labels import EARLIER_TAG, find_sources, move_source
from labeljob.rounds.verification import Verdicts, collect_verdicts, is_verdict


def show_verified(options: VerifiedOptions) -> None:
    """Do what `labeljob verified` does."""
    place = find_job(options.job, endpoint_url=options.endpoint_url)
    lines = read_output_lines(place, DamageList())
    attribute = choose_attribute(lines, place, options.attribute)
    earlier = options.earlier or (place.description and place.description.tags.get(EARLIER_TAG))
    if not earlier:
        raise JobError(
            f"{place.name} does not say which labels it verified; --earlier names their attribute"
        )
    if not lines or attribute is None:
        raise JobError(f"{place.name} has no output manifest with labels yet")
    gold = options.gold or Path(f"{place.name}-gold.jsonl")
    again = options.again or Path(f"{place.name}-again.manifest")
    base = find_sources(place)

    def move(line: Line) -> str:
        return move_source(line, base, again.parent.resolve()) if base else line.text

    verdicts = collect_verdicts(
        lines,
        attribute=attribute,
        earlier=earlier,
        below=options.below,
        mask_folder=_name_masks(gold),
        move=move,
    )
    if not verdicts.counts:
        raise JobError(f"{place.name} has no labels under {earlier}; --earlier names another")
    if strange := [verdict for verdict in verdicts.counts if not is_verdict(verdict)]:
        raise JobError(
            f"{place.name} is no verification: its labels under {attribute} are such as "
            f"{strange[0]!r}; begin one with labeljob portal --manifest FILE --verify {earlier}"
        )
    _write(verdicts, place, gold=gold, again=again)
    if options.as_json:
        values = {"verdicts": verdicts.counts, "gold": str(gold), "again": str(again)}
        messages.print_json(
            {**values, "known": len(verdicts.gold), "to-label": len(verdicts.again)}
        )
        return
    rows = [(verdict, str(count)) for verdict, count in sorted(verdicts.counts.items())]
    messages.table(f"{earlier}, verified by {place.name}", ("verdict", "labels"), rows)
    messages.done(f"known objects   {len(verdicts.gold)}  {gold}")
    messages.done(f"to label again  {len(verdicts.again)}  {again}")


def _write(verdicts: Verdicts, place: JobPlace, *, gold: Path, again: Path) -> None:
    """Write both files, and the masks that the known objects name."""
    if verdicts.masks:
        with draft_folder(gold.parent / _name_masks(gold)) as folder:
            for name, uri in verdicts.masks.items():
                try:
                    (folder / name).write_bytes(place.read(uri))
                except StorageError as error:
                    raise JobError(f"the mask {uri} cannot be read: {error}") from error
    for path, lines in ((gold, verdicts.gold), (again, verdicts.again)):
        write_text(path, "".join(f"{line}\n" for line in lines))


def _name_masks(gold: Path) -> str:
    """The folder of the masks, beside the file that names them."""
    return f"{gold.stem}-masks"
