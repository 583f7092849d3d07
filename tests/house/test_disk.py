"""Files that are whole or not there."""

import errno

import pytest

from zerosum import _disk


def test_a_file_is_replaced_and_nothing_stays_beside_it(tmp_path):
    file = tmp_path / "scores.json"
    file.write_text("old")
    _disk.replace_durably(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_disk_that_fills_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    def fill(path, content):
        path.write_bytes(content[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    file = tmp_path / "scores.json"
    file.write_text("old")
    monkeypatch.setattr(_disk, "write_durably", fill)
    with pytest.raises(OSError, match="No space left"):
        _disk.replace_durably(file, b"newer")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_text_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "text").write_bytes(b"ab\xff")
    with pytest.raises(ValueError, match="text is not UTF-8 text: byte 2 is not part of any character"):
        _disk.read_text(tmp_path / "text", 10)
