"""The standard streams: messages that cannot be written are lost, and end nothing."""

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TextIO, cast

_LOST = (OSError, ValueError)  # a full disk, a reader that is gone, a terminal that was closed; a closed file


def lossy(stream: IO[str] | None) -> TextIO:
    """A text stream around another one whose writes never fail: what cannot be written is lost.

    With None, as is `sys.stderr` where the process was started without one, everything is.
    """
    return cast(TextIO, _Lossy(stream))


class _Lossy(io.TextIOBase):
    def __init__(self, stream: IO[str] | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, or lose it."""
        with suppress(*_LOST):
            if self._stream is not None:
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream, if that is possible."""
        with suppress(*_LOST):
            if self._stream is not None:
                self._stream.flush()

    def writable(self) -> bool:
        """True."""
        return True

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        with suppress(*_LOST):
            return self._stream is not None and self._stream.isatty()
        return False

    def fileno(self) -> int:
        """The descriptor of the stream; raises `OSError` where there is none."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # which typeshed has as an attribute
        """The encoding of the stream."""
        return getattr(self._stream, "encoding", None) or "utf-8"


def write_message(text: str) -> None:
    """Write a text to standard error from a signal handler, where `print` could interrupt itself; or lose it."""
    if sys.__stderr__ is not None:  # else descriptor 2 was closed at the start, and may be any file by now
        with suppress(OSError):
            os.write(2, text.encode(errors="backslashreplace"))


def open_closed_descriptors() -> None:
    """Open the descriptors 0 to 2 on the null device where the process was started without them.

    The next file opened would get the number of a missing one, and everything written to standard error, also by C
    libraries, would be written into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one


def drop_unwritten(*streams: IO[Any] | None) -> None:
    """Discard what streams cannot write; otherwise the interpreter would try again at its exit, and fail."""
    for stream in streams:
        if stream is None:
            continue
        try:
            stream.flush()
        except _LOST:
            with suppress(*_LOST), Path(os.devnull).open("wb") as null:
                os.dup2(null.fileno(), stream.fileno())
                stream.flush()
