"""PackedSet sets: equal to their source, whole or said not to be, and not to be misled by what their files say."""

import fcntl
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.autoencoders.latents import Latents
from zerosum.data.fingerprints import fingerprint
from zerosum.data.inspect import check
from zerosum.data.resolve import source
from zerosum.data.sources import packing
from zerosum.data.sources.arrays import Arrays, ArraySource
from zerosum.data.sources.digits import Digits
from zerosum.data.sources.folders import Images
from zerosum.data.sources.packed import PackedSet
from zerosum.data.sources.packing import pack
from zerosum.data.toys.gaussians import Ring
from zerosum.recipes.reader import read

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (50, 6, 8, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def small_files(monkeypatch):
    """Seven images in each file of samples, read in blocks of three."""
    monkeypatch.setattr(packing, "_SHARD", 7 * IMAGES[0].nbytes)
    monkeypatch.setattr(packing, "_BLOCK", 3)


@pytest.fixture
def photos(tmp_path):
    for i, image in enumerate(IMAGES):
        (tmp_path / "photos" / "ab"[i % 2]).mkdir(exist_ok=True, parents=True)
        Image.fromarray(image).save(tmp_path / "photos" / "ab"[i % 2] / f"{i:02}.png")
    return tmp_path / "photos"


def alike(one, other):
    everything = torch.arange(len(one))
    assert (one.shape, len(one), one.classes, one.notes) == (other.shape, len(other), other.classes, other.notes)
    assert torch.equal(one.read(everything), other.read(everything))
    for x, y in ((one.labels, other.labels), (one.conditions, other.conditions)):
        assert (x is None) == (y is None)
    if one.labels is not None:
        assert torch.equal(one.labels, other.labels)
    if one.conditions is not None:
        assert torch.equal(one.conditions.values, other.conditions.values)
        assert one.conditions.values.dtype == other.conditions.values.dtype
        assert one.condition.facts == other.condition.facts


@pytest.mark.parametrize(
    "made",
    [
        Digits(),
        Ring(count=300),
        ArraySource(IMAGES, np.arange(50) % 3),
        ArraySource(IMAGES, conditions=RANDOM.normal(size=(50, 2)), condition_names=("age", "height")),
        ArraySource(IMAGES, conditions=RANDOM.integers(0, 2, (50, 1)).astype(np.float32)),
        ArraySource(np.ones((3, 4, 4), np.uint8)),
    ],
    ids=["digits", "points", "labels", "numbers", "attributes", "a note"],
)
def test_a_packed_set_is_its_source_number_for_number(tmp_path, made):
    alike(pack(made, tmp_path / "out"), made.open())
    alike(PackedSet(str(tmp_path / "out")).open(), made.open())


def test_a_folder_is_packed_as_it_opens_and_recognised_afterwards(tmp_path, photos):
    made, steps = Images(str(photos), size=4, fit="pad"), []
    pack(made, tmp_path / "out", lambda done, of: steps.append((done, of)))
    assert source(tmp_path / "out") == PackedSet(str(tmp_path / "out")) == read(repr(PackedSet(tmp_path / "out")))
    alike(source(tmp_path / "out").open(), made.open())
    assert steps[:3] == [(3, 50), (6, 50), (9, 50)] and steps[-1] == (50, 50)
    assert not list((tmp_path / "out").glob(".*")) and not (tmp_path / "out" / "packing.jsonl").exists()
    with pytest.raises(ValueError, match="size applies to folders and zips of images"):
        source(tmp_path / "out", size=8)


@pytest.mark.parametrize("shard", [7, 100])
def test_samples_are_read_in_any_order_and_as_often_as_asked(tmp_path, monkeypatch, shard):
    monkeypatch.setattr(packing, "_SHARD", shard * IMAGES[0].nbytes)
    data = pack(ArraySource(IMAGES), tmp_path / "out")
    index = torch.tensor([49, 0, 7, 6, 7, 48, 13])
    assert np.array_equal(data.read(index).numpy(), IMAGES[index].transpose(0, 3, 1, 2))
    assert data.read(index[:0]).shape == (0, 3, 6, 8)
    data.read(index).zero_()
    assert np.array_equal(data.read(index).numpy(), IMAGES[index].transpose(0, 3, 1, 2))
    for wrong in (-1, 50):
        with pytest.raises(IndexError, match=r"indices should be in 0..49; found"):
            data.read(torch.tensor([0, wrong]))


def test_the_fingerprint_is_of_what_is_packed(tmp_path):
    other = IMAGES.copy()
    other[49] ^= 1
    prints = [fingerprint(pack(ArraySource(x), tmp_path / str(i))) for i, x in enumerate((IMAGES, other, IMAGES))]
    assert prints[0] == prints[2] != prints[1]


class Killed(BaseException):
    """What ends a packing at once, as a signal does."""


def interrupted(made, out, after):
    """Pack until so many samples are done."""

    def stop(done, of):
        if done >= after:
            raise Killed

    with pytest.raises(Killed):
        pack(made, out, stop)


def test_an_interrupted_packing_says_so_and_goes_on_where_it_stopped(tmp_path, photos):
    out, made = tmp_path / "out", Images(str(photos))
    interrupted(made, out, 20)
    with pytest.raises(ValueError, match="is incomplete, as packing was interrupted: run the same `zerosum data pack`"):
        source(out).open()
    whole = sorted(file.name for file in out.glob("samples-*.bin"))
    assert whole == ["samples-00000.bin", "samples-00001.bin"]
    times, steps = [(out / name).stat().st_mtime_ns for name in whole], []
    alike(pack(made, out, lambda done, of: steps.append(done)), made.open())
    assert times == [(out / name).stat().st_mtime_ns for name in whole]
    assert steps[:3] == [7, 14, 17]
    assert check(out).broken == ()


@pytest.mark.parametrize("harm", ["cut", "changed", "gone", "torn line", "no line"])
def test_what_was_harmed_since_the_interruption_is_packed_again(tmp_path, harm):
    out, made = tmp_path / "out", ArraySource(IMAGES)
    interrupted(made, out, 30)
    shard, journal = out / "samples-00001.bin", out / "packing.jsonl"
    raw, lines = bytearray(shard.read_bytes()), journal.read_text()
    if harm == "cut":
        shard.write_bytes(raw[:-1])
    if harm == "changed":
        raw[5] ^= 1
        shard.write_bytes(raw)
    if harm == "gone":
        shard.unlink()
    if harm == "torn line":
        journal.write_text(lines[:-20])
    if harm == "no line":
        journal.write_text(lines[:10])
    alike(pack(made, out), made.open())
    assert check(out).broken == ()


def test_what_is_packed_after_a_line_that_was_cut_off_counts(tmp_path):
    out, made = tmp_path / "out", ArraySource(IMAGES)
    interrupted(made, out, 10)
    with (out / "packing.jsonl").open("a") as file:
        file.write('["samples-00001.bin", "12')
    interrupted(made, out, 20)
    before, steps = (out / "samples-00001.bin").stat().st_mtime_ns, []
    alike(pack(made, out, lambda done, of: steps.append(done)), made.open())
    assert (out / "samples-00001.bin").stat().st_mtime_ns == before and steps[:2] == [7, 14]


def test_a_kill_at_any_moment_leaves_a_packing_that_goes_on(tmp_path, photos, forks):
    program = (
        "import os, sys, zerosum._disk as disk, zerosum.data.sources.packing as p\n"
        "p._SHARD, p._BLOCK, steps = 1008, 3, iter(range(99))\n"
        "real = disk.sync_file\n"
        "def sync(file):\n"
        "    if next(steps) == int(sys.argv[3]): os.kill(os.getpid(), 9)\n"
        "    real(file)\n"
        "p.sync_file = disk.sync_file = sync\n"
        "p.pack(sys.argv[1], sys.argv[2])\n"
    )
    out = tmp_path / "out"
    for moment in ("0", "3", "4"):
        done = subprocess.run([sys.executable, "-c", program, photos, out, moment], timeout=120)
        assert done.returncode == -9
        with pytest.raises(ValueError, match="is incomplete, as packing was"):
            PackedSet(str(out)).open()
    packing_again = pack(photos, out)
    alike(packing_again, Images(str(photos)).open())


def test_packing_again_changes_nothing_and_other_data_are_refused(tmp_path):
    out, made = tmp_path / "out", ArraySource(IMAGES)
    pack(made, out)
    before = {file.name: file.stat().st_mtime_ns for file in out.iterdir()}
    alike(pack(made, out), made.open())
    assert before == {file.name: file.stat().st_mtime_ns for file in out.iterdir()}
    with pytest.raises(ValueError, match=r"out has another packed set: choose a new folder, or remove it"):
        pack(ArraySource(IMAGES[:9]), out)
    interrupted(made, tmp_path / "begun", 10)
    with pytest.raises(ValueError, match=r"begun has another incomplete packed set: choose a new folder"):
        pack(ArraySource(IMAGES[::-1]), tmp_path / "begun")


def test_places_that_cannot_be_packed_into_are_refused(tmp_path, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").touch()
    for place in ("full", "full/a.txt"):
        with pytest.raises(ValueError, match="is not empty: choose a new folder for the packed set"):
            pack(Digits(), tmp_path / place)
    interrupted(ArraySource(IMAGES), tmp_path / "busy", 10)
    with (tmp_path / "busy" / "packing.jsonl").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match=r"another process is packing into .*busy: wait for it, or choose another"):
            pack(ArraySource(IMAGES), tmp_path / "busy")
    monkeypatch.setattr(
        packing, "sync_file", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(OSError, match=r"out cannot be written \(.*No space left.*\): completed files are kept, and"):
        pack(ArraySource(IMAGES), tmp_path / "out")


def test_latents_are_not_packed(tmp_path):
    class Same:
        def encode(self, x):
            return x

        def decode(self, x):
            return x

    with pytest.raises(ValueError, match=r"cannot be packed: pack the images, then use Latents\(PackedSet"):
        pack(Latents(ArraySource(IMAGES), Same()), tmp_path / "out")


def test_broken_images_are_noted_in_what_is_packed(tmp_path, photos):
    whole = (photos / "b" / "01.png").read_bytes()
    (photos / "b" / "01.png").write_bytes(whole[:60])
    (photos / "b" / "03.png").write_bytes(b"")
    data = pack(Images(str(photos), bad="skip"), tmp_path / "out")
    assert [note.partition(" and")[0] for note in data.notes] == ["1 of 50 images is broken"] * 2
    assert ["b/03.png is not a PNG" in data.notes[0], "b/01.png is damaged" in data.notes[1]] == [True, True]
    assert torch.equal(data.read(torch.tensor([25, 26])), data.read(torch.tensor([27, 27])))
    pack(Images(str(photos), bad="skip"), tmp_path / "out")


def test_an_archive_is_packed_by_its_path(tmp_path):
    np.savez(tmp_path / "set.npz", images=IMAGES, labels=np.arange(50) % 2)
    alike(pack(str(tmp_path / "set.npz"), tmp_path / "out"), Arrays(str(tmp_path / "set.npz")).open())
    assert Path(tmp_path / "out" / "labels.bin").stat().st_size == 400
