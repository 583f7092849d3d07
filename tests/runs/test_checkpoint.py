import json
import resource
import signal

import pytest
import torch

from zerosum.runs import checkpoint as room
from zerosum.runs.checkpoint import (
    Checkpoint,
    checkpoint_path,
    checkpoints,
    load_checkpoint,
    newest_checkpoint,
    prune_checkpoints,
    save_checkpoint,
    set_aside,
    sweep,
)


def made(value):
    tensors = {"w": torch.full((3, 2), float(value)), "n": torch.tensor(value)}
    return Checkpoint({"G": tensors, "empty": {}}, {"images": value, "position": 7})


def test_what_is_saved_comes_back(tmp_path):
    save_checkpoint(tmp_path / "c", made(5))
    back = load_checkpoint(tmp_path / "c")
    assert back.numbers == {"images": 5, "position": 7}
    assert torch.equal(back.groups["G"]["w"], torch.full((3, 2), 5.0))
    assert back.groups["G"]["n"].dtype == torch.int64


def test_channels_last_weights_come_back_by_value(tmp_path):
    w = torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last)
    save_checkpoint(tmp_path / "c", Checkpoint({"G": {"w": w}}, {}))
    assert torch.equal(load_checkpoint(tmp_path / "c").groups["G"]["w"], w)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda p: (p / "G.safetensors").unlink(), "G.safetensors is missing"),
        (lambda p: (p / "G.safetensors").write_bytes(b""), "G.safetensors is damaged: its SHA-256 differs"),
        (lambda p: (p / "manifest.json").unlink(), "its manifest cannot be read"),
        (lambda p: (p / "manifest.json").write_text("{}"), "not that of a zerosum checkpoint"),
        (lambda p: (p / "manifest.json").write_text("[1]"), "not that of a zerosum checkpoint"),
        (
            lambda p: (p / "manifest.json").write_text('{"numbers.json": "", "../x.json": ""}'),
            "unexpected file|damaged",
        ),
        (lambda p: (p / "notes.txt").write_text("mine"), r"it has an unexpected file 'notes\.txt'"),
        (lambda p: (p / "stray.safetensors").write_bytes(b""), r"it has an unexpected file 'stray\.safetensors'"),
        (lambda p: cut(p / "G.safetensors"), "G.safetensors is damaged: its SHA-256 differs"),
        (lambda p: cut(p / "manifest.json"), "its manifest cannot be read: manifest.json is not valid JSON"),
    ],
)
def test_harm_is_seen_and_an_older_checkpoint_serves(tmp_path, harm, message):
    for images in (1, 2):
        save_checkpoint(checkpoint_path(tmp_path, images), made(images))
    harm(checkpoint_path(tmp_path, 2))
    with pytest.raises(ValueError, match=message):
        load_checkpoint(checkpoint_path(tmp_path, 2))
    path, found, troubles = newest_checkpoint(tmp_path)
    assert path == checkpoint_path(tmp_path, 1) and found.numbers["images"] == 1
    assert len(troubles) == 1 and "looking for an older one" in troubles[0]


def test_hidden_files_that_systems_leave_do_no_harm(tmp_path):
    save_checkpoint(tmp_path / "c", made(5))
    (tmp_path / "c" / ".DS_Store").write_bytes(b"x")
    assert load_checkpoint(tmp_path / "c").numbers["images"] == 5


def test_a_checkpoint_under_anothers_name_is_not_taken(tmp_path):
    save_checkpoint(checkpoint_path(tmp_path, 1), made(1))
    save_checkpoint(checkpoint_path(tmp_path, 2), made(7))
    path, _, troubles = newest_checkpoint(tmp_path)
    assert path == checkpoint_path(tmp_path, 1)
    assert "its name and its numbers differ in the count of images" in troubles[0]


def test_one_that_does_not_fit_is_passed_over(tmp_path):
    for images in (1, 2):
        save_checkpoint(checkpoint_path(tmp_path, images), made(images))

    def check(found):
        if found.numbers["images"] == 2:
            raise ValueError("its G does not fit")

    path, _, troubles = newest_checkpoint(tmp_path, check)
    assert path == checkpoint_path(tmp_path, 1) and "(its G does not fit)" in troubles[0]


def test_unusable_checkpoints_are_an_error_and_missing_ones_are_not(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    save_checkpoint(checkpoint_path(tmp_path, 2), made(2))
    (checkpoint_path(tmp_path, 2) / "G.safetensors").unlink()
    with pytest.raises(ValueError, match=r"no checkpoint that can be used: .*G\.safetensors is missing.*Restore one"):
        newest_checkpoint(tmp_path)


def test_a_checkpoint_is_never_written_over(tmp_path):
    save_checkpoint(checkpoint_path(tmp_path, 2), made(2))
    with pytest.raises(ValueError, match="exists already, and checkpoints are never overwritten"):
        save_checkpoint(checkpoint_path(tmp_path, 2), made(2))
    assert newest_checkpoint(tmp_path)[1].numbers["images"] == 2


def test_what_cannot_be_used_is_set_aside_where_it_neither_counts_nor_is_in_the_way(tmp_path):
    for images in (1, 2, 3):
        save_checkpoint(checkpoint_path(tmp_path, images), made(images))
    set_aside(tmp_path, 1)
    assert checkpoints(tmp_path) == [checkpoint_path(tmp_path, 1)]
    assert load_checkpoint(tmp_path / "checkpoints" / "000000000003.unusable").numbers["images"] == 3
    save_checkpoint(checkpoint_path(tmp_path, 2), made(2))
    set_aside(tmp_path, 1)
    assert checkpoints(tmp_path) == [checkpoint_path(tmp_path, 1)], "also where one of that name was set aside before"


def test_a_removal_cut_short_leaves_nothing_that_looks_like_a_checkpoint(tmp_path, monkeypatch):
    for images in (1, 2, 3):
        save_checkpoint(checkpoint_path(tmp_path, images), made(images))

    def cut_short(path, ignore_errors=False):
        if path.is_dir():
            (path / "G.safetensors").unlink()
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(room.shutil, "rmtree", cut_short)
        with pytest.raises(KeyboardInterrupt):
            prune_checkpoints(tmp_path, 2)
    assert checkpoints(tmp_path) == [checkpoint_path(tmp_path, 3), checkpoint_path(tmp_path, 2)]
    sweep(tmp_path)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2


def test_a_sweep_takes_what_was_left_half_written_and_nothing_else(tmp_path):
    kept = [tmp_path / ".lock", tmp_path / "notes.tmp", tmp_path / "samples" / "1.png"]
    swept = [
        tmp_path / ".log.jsonl.tmp",
        tmp_path / "samples" / ".1.png.tmp",
        tmp_path / "checkpoints" / ".7.tmp" / "a",
    ]
    for path in (*kept, *swept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "thesis.txt").touch()
    (tmp_path / "checkpoints" / ".link.tmp").symlink_to(elsewhere)
    sweep(tmp_path)
    assert all(path.exists() for path in kept) and (elsewhere / "thesis.txt").exists()
    assert not any(path.exists() for path in swept) and list((tmp_path / "checkpoints").iterdir()) == []


def test_a_manifest_cannot_name_files_elsewhere(tmp_path):
    save_checkpoint(tmp_path / "c", made(1))
    manifest = json.loads((tmp_path / "c" / "manifest.json").read_text())
    (tmp_path / "c" / "manifest.json").write_text(json.dumps({"../secret.json": "0", **manifest}))
    with pytest.raises(ValueError, match=r"its manifest names an unexpected file '\.\./secret\.json'"):
        load_checkpoint(tmp_path / "c")


def test_a_crash_while_writing_leaves_no_checkpoint(tmp_path, monkeypatch):
    save_checkpoint(checkpoint_path(tmp_path, 1), made(1))

    def crash(path, content):
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "write_durably", crash)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(checkpoint_path(tmp_path, 2), made(2))
    assert checkpoints(tmp_path) == [checkpoint_path(tmp_path, 1)]


def test_a_full_disk_leaves_the_old_checkpoint_and_no_rubbish(tmp_path):
    save_checkpoint(checkpoint_path(tmp_path, 1), made(1))
    big = Checkpoint({"G": {"w": torch.zeros(100_000)}}, {"images": 2})
    limit, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            save_checkpoint(checkpoint_path(tmp_path, 2), big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert newest_checkpoint(tmp_path)[1].numbers["images"] == 1
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["000000000001"]


def test_pruning_keeps_the_newest(tmp_path):
    for images in (1, 20, 3):
        save_checkpoint(checkpoint_path(tmp_path, images), made(images))
    prune_checkpoints(tmp_path, 2)
    assert [int(p.name) for p in checkpoints(tmp_path)] == [20, 3]
