"""The text of a table in UTF-8, whatever the encoding of its bytes is."""

import codecs
import io
from typing import Any

from service.tables.sources import Reading, refuse

LENIENT = "gdssm-cp1252"
"""The name of the way in which bytes that are not UTF-8 are read: one by one, as Windows-1252."""
EMPTY_LINES_LIMIT = 10_000
"""Consecutive empty lines, or zero bytes; an endless file may have nothing else."""
NO_TEXT = "\ufeff\0\x1a"
"""Characters that are left out: marks of files that were joined, zero bytes, and the end of files of DOS."""


class TextStream(io.RawIOBase):
    """The text of one reading in UTF-8, without its byte order mark.

    Bytes that are not UTF-8 are read as Windows-1252 one by one, so that a text has one meaning, wherever in the file
    it stands, unless an encoding is said.

    Args:
        reading: The bytes.
        name: Of the table, in messages.
        encoding: As Python names it; recognised if None.
        skip: Bytes of the text, in UTF-8, to leave out at the beginning.
        tail: Bytes to add at the end.
    """

    def __init__(
        self, reading: Reading, name: str, encoding: str | None = None, *, skip: int = 0, tail: bytes = b""
    ) -> None:
        codecs.register_error(LENIENT, _as_windows)
        self._reading, self._name, self._skip, self._tail = reading, name, skip, tail
        self._ready = b""
        self._end = False
        start = reading.read()
        marked = encoding is not None and start.startswith(codecs.BOM_UTF8)
        self.encoding = "utf-8-sig" if marked else encoding or encoding_of(start)
        try:
            errors = LENIENT if self.encoding == "utf-8-sig" and not encoding else "strict" if encoding else "replace"
            self._decoder = codecs.getincrementaldecoder(self.encoding)(errors)
        except LookupError as error:
            raise refuse(
                name, f"cannot be read in the unknown encoding {encoding!r}. Such as utf-8, cp1252."
            ) from error
        self._take(start)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401  (Buffer comes with Python 3.12)
        """Read into a buffer."""
        view = memoryview(buffer).cast("B")
        block = self.read(len(view))
        view[: len(block)] = block
        return len(block)

    def read(self, size: int = -1, /) -> bytes:
        """Read at most so many bytes; none at the end.

        Raises:
            InvalidInput: The bytes cannot be read, or are not text in the encoding that was said.
        """
        while not self._end and (size < 0 or len(self._ready) < size):
            self._take(self._reading.read())
        size = len(self._ready) if size < 0 else size
        block, self._ready = self._ready[:size], self._ready[size:]
        return block

    def _take(self, block: bytes) -> None:
        """Decode a block; an empty one is the end."""
        if len(block) > EMPTY_LINES_LIMIT and not block.strip(b"\r\n\0"):
            raise refuse(self._name, f"has more than {EMPTY_LINES_LIMIT} empty lines or zero bytes.")
        try:
            text = self._without(self._decoder.decode(block, final=not block)).encode()
        except UnicodeError as error:
            what = f"is not text in {self.encoding} ({getattr(error, 'reason', error)})"
            raise refuse(self._name, f"{what}. Name its encoding, or name none to have it recognised.") from error
        if not block:
            text, self._end = text + self._tail, True
        self._ready += text[self._skip :]
        self._skip = max(0, self._skip - len(text))

    def _without(self, text: str) -> str:
        if text.count("\0") > max(10, len(text) // 10):
            raise refuse(self._name, "is not a table: it holds binary data.")
        for character in NO_TEXT:
            if character in text:
                text = text.replace(character, "")
        return text


def encoding_of(start: bytes) -> str:
    """Recognise the encoding of a text by its mark or its zero bytes; otherwise it is UTF-8, or bytes of Windows."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = (start[place:4096:2].count(0) / max(1, len(start[place:4096:2])) for place in (0, 1))
    if odd > 0.4 and even < 0.1:
        return "utf-16-le"
    if even > 0.4 and odd < 0.1:
        return "utf-16-be"
    return "utf-8-sig"


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    byte = error.object[error.start : error.start + 1]
    try:
        return byte.decode("cp1252"), error.start + 1
    except UnicodeDecodeError:
        return byte.decode("latin-1"), error.start + 1
