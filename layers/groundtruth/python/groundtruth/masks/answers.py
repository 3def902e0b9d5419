"""The text in which an answer carries its mask."""

import binascii

from groundtruth.errors import UnusableAnswer

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


def decode_base64_png(text: str) -> bytes:
    r"""Bytes of the PNG that an answer holds as base64.

    A ``data:`` prefix and white space are dropped, the URL-safe alphabet and missing padding
    are accepted. Nothing else is: a lenient decoder turns such text into wrong bytes. Nor are
    both blanks and missing padding: what is missing may be a ``+`` that became a blank.

    Parameters
    ----------
    text : str
        The answer's ``pngImageData``.

    Returns
    -------
    bytes
        Not looked at any further.

    Raises
    ------
    UnusableAnswer
        ``bad-base64``, if the text is not base64 or is empty.

    Examples
    --------
    >>> decode_base64_png("data:image/png;base64,iVBO Rw==")
    b'\x89PNG'
    """
    if text[:5].lower() == "data:":
        header, comma, text = text.partition(",")
        if not comma or not header.lower().endswith(";base64"):
            raise UnusableAnswer("bad-base64", "The data: prefix does not announce base64.")
    try:
        png = _decoded(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise UnusableAnswer("bad-base64", "The mask's text is not base64.") from error
    if not png:
        raise UnusableAnswer("bad-base64", "The mask's text is empty.")
    return png


def _decoded(text: bytes) -> bytes:
    """Bytes that base64 text stands for, as it is or made regular."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        regular = text.translate(_TO_STANDARD, delete=b" \t\r\n")
        if not any(b" " in line.strip() for line in text.splitlines()):
            regular = regular.rstrip(b"=")
            regular += b"=" * (-len(regular) % 4)
        return binascii.a2b_base64(regular, strict_mode=True)
