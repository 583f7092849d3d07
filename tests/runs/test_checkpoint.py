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


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda p: (p / "G.safetensors").unlink(), "G.safetensors is missing"),
        (lambda p: (p / "G.safetensors").write_bytes(b""), "G.safetensors is damaged: its sha256 differs"),
        (lambda p: (p / "manifest.json").unlink(), "its manifest does not read"),
        (lambda p: (p / "manifest.json").write_text("{}"), "not one of ours"),
        (lambda p: (p / "manifest.json").write_text("[1]"), "not one of ours"),
        (lambda p: (p / "manifest.json").write_text('{"numbers.json": "", "../x.json": ""}'), "foreign|damaged"),
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


def test_a_manifest_cannot_name_files_elsewhere(tmp_path):
    save_checkpoint(tmp_path / "c", made(1))
    manifest = json.loads((tmp_path / "c" / "manifest.json").read_text())
    (tmp_path / "c" / "manifest.json").write_text(json.dumps({"../secret.json": "0", **manifest}))
    with pytest.raises(ValueError, match=r"its manifest names a foreign file '\.\./secret\.json'"):
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
