"""Files that are whole or not there, and the only ways to write and to print."""

import ast
import errno

import pytest

from zerosum import _disk

WRITERS = {
    "_disk.py": "the ways to write",
    "_streams.py": "the null device",
    "cli/_samples.py": "into a folder of a temporary name",
    "bench/subprocesses.py": "the output of a process, as it comes",
}


def writes(tree):
    """Calls that write a file in place: a disk that fills would leave neither the old file nor the new one."""
    in_place = (".write_text", ".write_bytes", "np.savez", "np.savez_compressed", "np.save", "save_file")
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        values = [a.value for a in [*call.args, *(k.value for k in call.keywords)] if isinstance(a, ast.Constant)]
        modes = {f"{kind}{rest}" for kind in "wax" for rest in ("", "b", "+", "b+", "t")}
        if name.endswith(in_place) or (name.rpartition(".")[2] == "open" and modes & {*map(str, values)}):
            yield f"{name} in line {call.lineno}"


def test_files_are_written_by_the_ways_of_disk(library):
    kept = [source for source in library if not source.path.endswith(tuple(WRITERS))]
    assert [f"{source.path}: {one}" for source in kept for one in writes(source.tree)] == []


@pytest.mark.parametrize(
    "text",
    ["p.open('wb')", "open(p, 'a')", "p.open(mode='w')", "p.write_text(t)", "np.save(p, x)", "save_file(t, p)"],
)
def test_a_file_written_in_place_would_be_seen(text):
    assert list(writes(ast.parse(text)))


def test_reading_is_no_writing():
    assert not list(writes(ast.parse("p.open('rb')\np.open()\nImage.open(f, formats=['PNG'])")))


def test_a_command_prints_by_one_function(library):
    """`cli._output.echo`, since what a stranger named may hold terminal escapes."""
    prints = ("print", "typer.echo", "typer.secho", "sys.stdout.write", "sys.stderr.write")
    assert [
        f"{source.path}: {ast.unparse(call.func)} in line {call.lineno}"
        for source in library
        for call in ast.walk(source.tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in prints
        if not source.path.endswith("cli/_output.py")
    ] == []


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


def test_a_block_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path):
    file = tmp_path / "samples.npz"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt), _disk.replacing(file) as new:
        new.write(b"half")
        raise KeyboardInterrupt
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_temporary_file_is_new(tmp_path):
    (tmp_path / "own").write_text("of the reader")
    (tmp_path / "new").symlink_to(tmp_path / "own")
    with _disk.create(tmp_path / "new") as file:
        file.write(b"new")
    assert (tmp_path / "own").read_text() == "of the reader"
    assert (tmp_path / "new").read_text() == "new" and not (tmp_path / "new").is_symlink()


def test_a_link_is_not_replaced_in_silence(tmp_path):
    (tmp_path / "own").write_text("of the reader")
    (tmp_path / "out").symlink_to(tmp_path / "own")
    with pytest.raises(ValueError, match="out is a link or not a regular file, and is not written: remove it"):
        _disk.replace_durably(tmp_path / "out", b"new")
    assert (tmp_path / "own").read_text() == "of the reader"


def test_text_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "text").write_bytes(b"ab\xff")
    with pytest.raises(ValueError, match="text is not UTF-8 text: byte 2 is not part of any character"):
        _disk.read_text(tmp_path / "text", 10)
