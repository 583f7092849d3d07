"""Standard streams whose writes cannot fail, and the descriptors 0 to 2."""

import io
import os
from pathlib import Path

import pytest

from zerosum import _streams


@pytest.fixture
def deaf():
    """A stream to a pipe that nobody reads, which loses nothing of its own."""
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w", buffering=1)
    yield stream
    _streams.drop_unwritten(stream)
    stream.close()


def test_what_cannot_be_written_is_lost(deaf):
    with pytest.raises(BrokenPipeError):
        deaf.write("heard by nobody\n")
    messages = _streams.lossy(deaf)
    assert messages.write("nor this\n") == 9
    messages.flush()
    with Path("/dev/full").open("w", buffering=1) as full:
        print("no room", file=_streams.lossy(full), flush=True)
        _streams.drop_unwritten(full)
    print("closed", file=_streams.lossy(full), flush=True)
    print("none", file=_streams.lossy(None), flush=True)


def test_what_can_be_written_is():
    text = io.StringIO()
    print("heard", file=_streams.lossy(text), flush=True)
    assert text.getvalue() == "heard\n"
    assert not _streams.lossy(text).isatty() and not _streams.lossy(None).isatty()
    assert _streams.lossy(None).encoding == "utf-8"


def test_after_dropping_what_is_unwritten_a_stream_can_be_flushed(deaf):
    with pytest.raises(BrokenPipeError):
        deaf.write("heard by nobody\n")
    _streams.drop_unwritten(None, deaf)
    deaf.flush()


def test_a_message_of_a_signal_handler_may_be_lost(deaf, monkeypatch):
    before = os.dup(2)
    os.dup2(deaf.fileno(), 2)
    try:
        _streams.write_message("heard by nobody\n")
    finally:
        os.dup2(before, 2)
        os.close(before)
    monkeypatch.setattr("sys.__stderr__", None)
    monkeypatch.setattr("os.write", lambda *_: pytest.fail("descriptor 2 may be any file"))
    _streams.write_message("nowhere\n")


def test_closed_descriptors_are_opened_on_the_null_device():
    before = os.dup(0)
    os.close(0)
    try:
        _streams.open_closed_descriptors()
        assert os.path.samestat(os.fstat(0), Path(os.devnull).stat())
    finally:
        os.dup2(before, 0)
        os.close(before)
