"""Files of images on this machine, and which of them a manifest's line names.

A line names an image as a URI, or as the tool that it comes from does.
"""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from labeljob.jobs.images import hidden_problem, name_problem

NOT_ON_WINDOWS = '<>:"|?*\\'
SUBSTITUTES = ("_", "-", "%{0:02X}", "{1}", "\ua789", ".", " ", "")
"""What stands for such a character after a download, an unpacking or a copy."""

MOST_FILES = 200_000
"""After so many files the search beside a file is given up."""

STORES = (".labeling-jobs", "annotations")
"""What only folders of jobs have."""

_UPLOAD = re.compile(r"(?:^|/)upload/(?:.*/)?[0-9a-f]{8}-(?P<name>[^/]+)$")


def spellings(name: str) -> Iterator[str]:
    """A file's name, and what it may have become on a disk that does not take all characters.

    Examples
    --------
    >>> list(spellings("10:35.png"))[:4]
    ['10:35.png', '10_35.png', '10-35.png', '10%3A35.png']
    """
    yield name
    codes = [ord(character) for character in NOT_ON_WINDOWS if character in name]
    for substitute in SUBSTITUTES if codes else ():
        yield name.translate({code: substitute.format(code, chr(0xF000 + code)) for code in codes})


def image_paths(source: str) -> Iterator[str]:
    """The path of an image's file as a source tells it: as it is, then what an address means.

    Of an address the query is left out, or is the path itself, as in Label Studio's local storage.

    Examples
    --------
    >>> list(image_paths("s3://bucket/photos/1.jpg"))
    ['s3://bucket/photos/1.jpg']
    >>> list(image_paths("/data/local-files/?d=photos%2Fa%20b.jpg"))[1:]
    ['photos/a b.jpg']
    >>> list(image_paths("https://example.org/photos/a%20b.jpg?width=600"))[1:]
    ['https://example.org/photos/a b.jpg']
    """
    yield source
    try:
        path, query = source.partition("?")[0], urlsplit(source).query
    except ValueError:  # no address
        return
    if path.rstrip("/").endswith("local-files"):
        yield from parse_qs(query).get("d", ())
    elif unquote(path) != source:
        yield unquote(path)


def image_name(source: str) -> str:
    """The name of an image's file, without its folder; empty if there is none.

    Examples
    --------
    >>> image_name("s3://bucket/a%20b.jpg")
    'a%20b.jpg'
    >>> image_name("https://example.org/photos/a%20b.jpg?width=600")
    'a b.jpg'
    >>> image_name("/data/local-files/?d=photos%2Fa%20b.jpg")
    'a b.jpg'
    """
    is_address = source.startswith(("http://", "https://")) or "local-files/?" in source
    path = list(image_paths(source))[-1] if is_address else source
    name = PurePosixPath(path).name
    return "" if name == ".." or "\0" in name else name


def uploaded_name(source: str) -> str | None:
    """The name that a file had before it was uploaded to Label Studio; None if it was not.

    Label Studio puts eight random digits before it, and leaves out what is neither letter, digit,
    dot, hyphen nor underscore; `_plain` does so with the file's own name.

    Examples
    --------
    >>> uploaded_name("/data/upload/7/0a1b2c3d-my_photo.jpg")
    'my_photo.jpg'
    """
    match = _UPLOAD.search(unquote(source.partition("?")[0]))
    return match["name"] if match else None


def _plain(name: str) -> str:
    return re.sub(r"[^-\w.]", "", name.replace(" ", "_"))


class ImageFiles:
    """The files below a folder, or those that are given."""

    def __init__(self, folder: Path, paths: Iterable[Path] | None = None) -> None:
        self.folder = folder
        self._paths = paths

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[Path]]:
        by_name: dict[str, list[Path]] = {}
        paths = self._paths
        if paths is None:  # comparing the paths themselves takes most of the time of a large folder
            paths = sorted(self.folder.rglob("*"), key=lambda path: path.parts)
        for path in paths:
            if path.is_file():
                by_name.setdefault(path.name, []).append(path)
        return by_name

    @cached_property
    def _by_plain_name(self) -> Mapping[str, Sequence[Path]]:
        by_name: dict[str, list[Path]] = {}
        for name, paths in self._by_name.items():
            by_name.setdefault(_plain(name), []).extend(paths)
        return by_name

    def find(self, source: str) -> Path | None:
        """The file with the longest common end of path; None if there is none.

        Of an upload the folder is not known: None if two files have its name and are not the same.
        """
        best: tuple[int, Path | None] = (0, None)
        for text in image_paths(source):
            parts = text.split("/")[::-1]
            named = (self._by_name.get(name) for name in spellings(parts[0]))
            for path in next(filter(None, named), ()):
                common = 1 + _common(path.parts[-2::-1], parts[1:])
                best = max(best, (common, path), key=lambda one: one[0])
        if best[1] is not None:
            return best[1]
        name = uploaded_name(source)
        paths = self._by_plain_name.get(name, ()) if name else ()
        same = all(filecmp.cmp(paths[0], path, shallow=False) for path in paths[1:])
        return paths[0] if paths and same else None


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    return next(
        (at for at, (one, other) in enumerate(zip(first, second, strict=False)) if one != other),
        min(len(first), len(second)),
    )


def find_beside(files: Sequence[Path], sources: Iterable[str]) -> Path | None:
    """The folder below which images lie that sources name: those near some files.

    Images are looked for below the files' folders; hidden folders and stores of jobs are left out.
    None if none is there, or there are too many files to tell.
    """
    tops = dict.fromkeys(file.resolve().parent for file in files)
    paths = list(islice(chain.from_iterable(map(_images_below, tops)), MOST_FILES + 1))
    if len(paths) > MOST_FILES:
        return None
    known = ImageFiles(next(iter(tops)), paths)
    folders = {path.parent for path in map(known.find, sources) if path}
    return Path(os.path.commonpath(folders)) if folders else None


def _images_below(top: Path) -> Iterator[Path]:
    """Images in a folder and those in it; what this user may not read is passed over."""
    for here, folders, names in os.walk(top):
        if Path(here) != top and any(name in folders for name in STORES):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not hidden_problem(name))
        for name in sorted(names):
            path = Path(here, name)
            if not (hidden_problem(name) or name_problem(name) or path.is_symlink()):
                yield path


def find_near(folder: Path, source: str) -> Path | None:
    """The image that a URI in S3 or a relative path names, in a copy beside a job's folder.

    Where a bucket was copied with its folders, ``s3://bucket/photos/1.jpg`` is
    ``bucket/photos/1.jpg`` or ``photos/1.jpg`` below a folder that the job is in.
    """
    scheme, is_uri, rest = source.rpartition("://")
    names = PurePosixPath(rest).parts
    if (is_uri and scheme != "s3") or not names or name_problem(names[-1]):
        return None
    if any(name in ("/", "..") or "\0" in name for name in names):
        return None
    ways = [names, names[1:]] if is_uri and len(names) > 1 else [names]
    for top in list(folder.parents)[:-1]:
        for way in ways:
            path = top.joinpath(*way)
            try:
                if path.is_file():
                    return path
            except OSError:  # too long a name, say
                continue
    return None
