"""Packed pairs: equal to their source, with the same samples held out."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data import Captioned, Downscaled, Masked, MovingDigits, PairedFolders, Unpaired
from zerosum.data.held_out import PARTS
from zerosum.data.inspect import check
from zerosum.data.resolve import source
from zerosum.data.sources import packing
from zerosum.data.sources.arrays import ArraySource
from zerosum.data.sources.packed import PackedPairs, PackedSet
from zerosum.data.sources.packing import pack
from zerosum.recipes.reader import read

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 6, 8, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def small_files(monkeypatch):
    """Seven images in each file of samples, read in blocks of three."""
    monkeypatch.setattr(packing, "_SHARD", 7 * IMAGES[0].nbytes)
    monkeypatch.setattr(packing, "_BLOCK", 3)


class Killed(BaseException):
    """What ends a packing at once, as a signal does."""


def sorts(tmp_path):
    """Sources of pairs, of each sort."""
    for name, x in (("a", IMAGES[:30]), ("b", 255 - IMAGES[:30])):
        (tmp_path / name).mkdir()
        for i, image in enumerate(x):
            Image.fromarray(image).save(tmp_path / name / f"{i:02}.png")
            (tmp_path / name / f"{i:02}.txt").write_text(f"picture {'ab'[i % 2]} {i // 4}")
    return {
        "smaller": Downscaled(ArraySource(IMAGES), factor=2),
        "masked": Masked(ArraySource(IMAGES)),
        "folders": PairedFolders(str(tmp_path / "a"), str(tmp_path / "b")),
        "captions": Captioned(str(tmp_path / "a")),
        "frames": MovingDigits(count=20, past=2),
    }


@pytest.mark.parametrize("sort", ["smaller", "masked", "folders", "captions", "frames"])
def test_pairs_are_packed_with_their_conditions_and_who_is_held_out(tmp_path, monkeypatch, sort):
    made, out = sorts(tmp_path)[sort], tmp_path / "out"
    monkeypatch.setattr(packing, "_BLOCK", 5)
    whole = pack(made, out)
    assert source(out) == PackedPairs(str(out)) == read(repr(PackedPairs(out))) and check(out).broken == ()
    for part in PARTS:
        one, other = replace(made, part=part).open(), PackedPairs(str(out), part).open()
        index = torch.arange(len(one))
        assert (len(one), one.shape, one.notes) == (len(other), other.shape, other.notes)
        assert torch.equal(one.read(index), other.read(index))
        assert torch.equal(one.conditions.of(index), other.conditions.of(index))
        assert one.condition == other.condition and type(one.condition) is type(other.condition)
        for name, tensor in one.condition.state_dict().items():
            assert torch.equal(tensor, other.condition.state_dict()[name])
    assert len(whole) == len(other) > len(PackedPairs(str(out)).open()), "part of the call is `all`"
    with pytest.raises(ValueError, match=r"has pairs: open it as PackedPairs\("):
        PackedSet(str(out)).open()
    wrong = next(out.glob("conditions-*"))
    wrong.write_bytes(bytes(wrong.stat().st_size))
    assert [broken.file for broken in check(out).broken] == [str(wrong)]


def test_unpaired_sets_are_packed_each_alone(tmp_path):
    with pytest.raises(ValueError, match=r"conditions that do not belong to it: pack both sets, then use Unpaired"):
        pack(Unpaired(ArraySource(IMAGES), ArraySource(IMAGES)), tmp_path / "both")
    pack(ArraySource(IMAGES), tmp_path / "a")
    Unpaired(str(tmp_path / "a"), ArraySource(IMAGES)).open()


def test_pairs_go_on_where_packing_stopped_and_their_manifest_is_checked(tmp_path, monkeypatch):
    made, out = Downscaled(ArraySource(IMAGES), factor=2), tmp_path / "out"
    derived = packing._conditions
    monkeypatch.setattr(packing, "_conditions", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        pack(made, out)
    monkeypatch.setattr(packing, "_conditions", derived)
    time = (out / "samples-00003.bin").stat().st_mtime_ns
    pack(made, out)
    assert time == (out / "samples-00003.bin").stat().st_mtime_ns and check(out).broken == ()
    manifest = json.loads((out / "packed.json").read_text())
    for pairs, message in (
        ({**manifest["pairs"], "kind": "Labels"}, "its pairs should be of Image or Text"),
        ({**manifest["pairs"], "shape": [3, -1, 2]}, "its shape should be integers from 1"),
        ({**manifest["pairs"], "facts": {}}, "Image needs paired, true or false"),
        (None, "its list of files does not match its layout"),
    ):
        (out / "packed.json").write_text(json.dumps({**manifest, "pairs": pairs}))
        with pytest.raises(ValueError, match=f"is not a packed set, as its packed.json cannot be used: {message}"):
            PackedPairs(str(out)).open()
    pack(ArraySource(IMAGES), tmp_path / "plain")
    with pytest.raises(ValueError, match=r"has no pairs: open it as PackedSet\("):
        PackedPairs(str(tmp_path / "plain")).open()
