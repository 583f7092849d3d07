"""A full disk and too little memory: one sentence that says what to do, and nothing that was saved is lost."""

import errno
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from benchmarks.robustness.kills import IMAGES, POINTS
from benchmarks.robustness.sameness import differences

from zerosum.game.game import Game
from zerosum.networks.mlp import MLPGenerator
from zerosum.recipes.recipe import pretty
from zerosum.runs.checkpoint import checkpoints, newest_checkpoint
from zerosum.training import loop as loop_room
from zerosum.training.train import train

pytestmark = pytest.mark.usefixtures("forks", "reportless")
SHORT = replace(POINTS, images=96, tick=32, snapshot=32)
WHOLE = "the checkpoint after 32 images is saved"


def zerosum(folder, recipe, before="", **options):
    """The command in a process of its own, which does something first; its exit status and what it says."""
    (folder / "recipe.txt").write_text(pretty(recipe))
    code = f"import resource, sys\n{before}\nfrom zerosum.cli import main\nmain()"
    words = ["train", str(folder / "recipe.txt"), "--out", str(options.pop("out", folder / "run"))]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=250, **options)
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return train(SHORT, tmp_path_factory.mktemp("straight") / "run", quiet=True)


def full_from(monkeypatch, nth, number=errno.ENOSPC):
    """The disk is full from the n-th file on that is flushed to it."""
    seen, fsync = [], os.fsync

    def full(descriptor):
        seen.append(1)
        if len(seen) >= nth:
            raise OSError(number, os.strerror(number))
        return fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EFBIG, "a file would exceed the size that is allowed"),
    ],
)
def test_a_full_disk_is_one_sentence_and_what_was_saved_stays(straight, tmp_path, monkeypatch, number, words):
    broken, save = tmp_path / "run", loop_room.save_checkpoint
    with monkeypatch.context() as patched:

        def fills(path, checkpoint):
            if int(path.name) == 64:
                full_from(patched, 5, number)
            save(path, checkpoint)

        patched.setattr(loop_room, "save_checkpoint", fills)
        with pytest.raises(OSError, match=rf"^{words}: make room for .* and give the same command again; {WHOLE}$"):
            train(SHORT, broken, quiet=True)
    assert newest_checkpoint(broken)[1].numbers["images"] == 32
    assert [p.name for p in broken.rglob("*.tmp")] == [], "no rubbish takes up the room that there is"
    train(SHORT, broken, quiet=True)
    assert differences(straight, broken) == []


def test_another_error_of_the_disk_is_raised_as_it_is(tmp_path, monkeypatch):
    full_from(monkeypatch, 8, errno.EIO)
    with pytest.raises(OSError, match=r"Input/output error$"):
        train(SHORT, tmp_path / "run", quiet=True)


def test_a_limit_on_files_ends_the_command_with_a_sentence_and_status_1(straight, tmp_path):
    """Of 42 kB, which the first picture of some has not, or the report at the latest."""
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (42_000, 42_000))"
    code, output = zerosum(tmp_path, SHORT, limit)
    last = output.strip().splitlines()[-1]
    assert code == 1 and "Traceback" not in output
    assert last.startswith("zerosum: a file would exceed the size that is allowed: make room for ")
    assert last.endswith(" images is saved") and checkpoints(tmp_path / "run")
    code, output = zerosum(tmp_path, SHORT)
    assert code == 0 and differences(straight, tmp_path / "run") == []


def test_a_small_disk_that_fills_up(straight, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1100k", "tmpfs", str(disk)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("this machine lets the test mount no small disk; the limit on files stands for it")
    try:
        (disk / "ballast").write_bytes(b"x" * 850_000)
        code, output = zerosum(tmp_path, SHORT, out=disk / "run")
        assert code == 1 and "Traceback" not in output
        assert "zerosum: the disk is full: make room for" in output and "images is saved" in output
        assert checkpoints(disk / "run") and newest_checkpoint(disk / "run")
        (disk / "ballast").unlink()
        code, output = zerosum(tmp_path, SHORT, out=disk / "run")
        assert code == 0 and differences(straight, disk / "run") == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
    ],
    ids=["python", "cuda", "cpu", "cublas"],
)
@pytest.mark.parametrize(("recipe", "kind"), [(SHORT, "points of 2 dimensions"), (IMAGES, "images of 28x28")])
def test_too_little_memory_says_what_to_try(tmp_path, monkeypatch, error, recipe, kind):
    recipe = replace(recipe, images=96, tick=32, snapshot=32, precision="float32")
    step, rounds = Game.step, []

    def fails(game, batches):
        rounds.append(1)
        if len(rounds) == 4:
            raise error
        return step(game, batches)

    monkeypatch.setattr(Game, "step", fails)
    sentence = (
        rf"^out of memory with a batch of 16 {kind} in float32: try --set batch=8 or micro_batch=8, which "
        rf"gives the same gradients.*, a smaller network, or "
        rf"--precision bfloat16 .* --from {tmp_path / 'run'} keeps the weights; {WHOLE}$"
    )
    with pytest.raises(MemoryError, match=sentence) as caught:
        train(recipe, tmp_path / "run", quiet=True)
    assert ("smaller images" in str(caught.value)) == (recipe.name == "images")


def test_another_error_of_torch_is_raised_as_it_is(tmp_path, monkeypatch):
    def fails(game, batches):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Game, "step", fails)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        train(SHORT, tmp_path / "run", quiet=True)


def test_a_real_limit_of_memory_ends_the_command_with_a_sentence_and_status_1(tmp_path):
    most = 4 << 30  # torch alone maps a gigabyte or two, and the first layer's output would take two
    limit = f"import torch\nresource.setrlimit(resource.RLIMIT_AS, ({most}, {most}))"
    large = replace(SHORT, batch=1 << 20, images=1 << 20, generator=MLPGenerator(hidden=(512,)))
    code, output = zerosum(tmp_path, large, limit)
    assert code == 1 and "Traceback" not in output, output
    assert (
        "zerosum: out of memory with a batch of 1048576 points of 2 dimensions in float32: try --set batch=524288"
        in output
    )
    assert output.strip().splitlines()[-1].endswith("the checkpoint after 0 images is saved")
