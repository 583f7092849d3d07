"""The lock of a run folder: one writer at a time, released when a process dies."""

import fcntl
import os
import signal
import socket
import subprocess
import sys

import pytest

from zerosum.runs.lock import LOCK, locked

HOLD = """
import sys, time
from pathlib import Path
from zerosum.runs.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path, forks):
    """A process that has locked a folder."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_error_for_a_second_writer_names_the_first(tmp_path, holder):
    sentence = (
        rf"is being written by process {holder.pid} on {socket.gethostname()}: wait for it to end, or choose another"
    )
    with pytest.raises(ValueError, match=sentence), locked(tmp_path):
        pass


def test_the_lock_of_a_dead_process_does_not_hold(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert str(holder.pid) in (tmp_path / LOCK).read_text()
    with locked(tmp_path):
        assert str(os.getpid()) in (tmp_path / LOCK).read_text()
        assert str(holder.pid) not in (tmp_path / LOCK).read_text()


def test_within_a_process_too_there_is_one_writer_at_a_time(tmp_path):
    run = tmp_path / "new" / "run"
    with locked(run), pytest.raises(ValueError, match="is being written by process"), locked(run):
        pass
    with locked(run):
        pass


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"process": "x\\u001b[31m", "host": 1}', b"\xff" * 2_000])
def test_whatever_a_holder_wrote_the_refusal_is_a_sentence(tmp_path, content):
    with (tmp_path / LOCK).open("wb") as file:
        file.write(content)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="is being written by another process: wait"), locked(tmp_path):
            pass


def test_a_link_in_the_locks_place_is_not_followed(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK).symlink_to(tmp_path / "thesis.txt")
    with (
        pytest.raises(ValueError, match="is a link or not a regular file, and is not written"),
        locked(tmp_path / "run"),
    ):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_where_files_cannot_be_locked_a_message_says_so(tmp_path, monkeypatch):
    def refuses(descriptor, how):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuses)
    messages = []
    with locked(tmp_path, messages.append):
        pass
    assert (
        len(messages) == 1
        and "is on a file system without locks (No locks available): make sure that no other" in messages[0]
    )
