"""Images under an image as the condition: derived from the sample, paired by name, or of another set."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from zerosum.conditions import Image, Labels
from zerosum.data import (
    Digits,
    Downscaled,
    Edges,
    Grayscale,
    Masked,
    PairedFolders,
    Reliefs,
    Ring,
    SideBySide,
    Unpaired,
)
from zerosum.data.fingerprints import fingerprint
from zerosum.data.held_out import around, part_of
from zerosum.data.pairs.masked import mask
from zerosum.data.sources.arrays import ArraySource
from zerosum.training.batches import Batches

RANDOM = np.random.default_rng(0)
COLOUR = ArraySource(RANDOM.integers(0, 256, (60, 12, 16, 3), dtype=np.uint8))
DERIVED = (Downscaled(COLOUR), Grayscale(COLOUR), Masked(COLOUR), Edges(COLOUR))
name = lambda one: type(one).__name__  # noqa: E731


def all_of(source, part="all"):
    dataset = replace(source, part=part).open()
    index = torch.arange(len(dataset))
    x = dataset.read(index)
    return dataset, x, dataset.conditions.of(index, x)


@pytest.mark.parametrize("source", DERIVED, ids=name)
def test_every_sample_has_its_own_condition_in_every_part(source):
    dataset, x, c = all_of(source)
    assert torch.equal(dataset.conditions.of(torch.arange(len(x))), c), "read or not, the same"
    assert c.dtype == torch.uint8 and tuple(c.shape[1:]) == dataset.condition.shape
    parts = [all_of(source, part) for part in ("train", "test")]
    rows = {row.numpy().tobytes(): i for i, row in enumerate(x)}
    found = [rows[row.numpy().tobytes()] for _, own, _ in parts for row in own]
    assert sorted(found) == list(range(60)), "the parts are disjoint, and all samples together"
    assert torch.equal(torch.cat([own for *_, own in parts]), c[found])
    assert 1 <= len(parts[1][1]) <= 15
    kinds = [one.condition for one, *_ in parts]
    held = {row.numpy().tobytes() for row in parts[1][1]}
    assert all(row.numpy().tobytes() in held for row in kinds[0].truths), "examples are held out of training"
    assert torch.equal(kinds[0].examples, kinds[1].examples)
    assert len({fingerprint(one) for one in (dataset, parts[0][0], parts[1][0])}) == 3


def test_downscaling_is_pillows_antialiased_bicubic():
    _, x, c = all_of(Downscaled(COLOUR, factor=2))
    for image, small in zip(x[:8], c[:8], strict=True):
        picture = Picture.fromarray(image.permute(1, 2, 0).numpy()).resize((8, 6), Picture.Resampling.BICUBIC)
        assert np.abs(np.asarray(picture).astype(int) - small.permute(1, 2, 0).numpy()).max() <= 1


def test_grey_is_pillows_and_a_mask_hides_what_it_says():
    _, x, c = all_of(Grayscale(COLOUR))
    grey = np.stack([np.asarray(Picture.fromarray(image).convert("L")) for image in x.permute(0, 2, 3, 1).numpy()])
    assert np.abs(grey.astype(int) - c[:, 0].numpy()).max() <= 1
    _, x, c = all_of(Masked(COLOUR, share=0.3))
    known = c[:, 3:] == 255
    assert torch.equal(c[:, 3:] == 0, ~known)
    assert torch.equal(c[:, :3], torch.where(known, x, torch.tensor(128, dtype=torch.uint8)))


def test_masks_hide_about_their_share_and_differ():
    masks = torch.stack([mask(i, 40, 40, 0.25) for i in range(40)])
    shares = (~masks).double().mean((1, 2))
    assert shares.min() > 0.2 and shares.max() < 0.45 and shares[::2].mean().item() == pytest.approx(0.25, abs=0.02)
    assert len({one.numpy().tobytes() for one in masks}) == 40
    assert torch.equal(masks[3], mask(3, 40, 40, 0.25))
    box = (~masks[0]).nonzero()
    assert (~masks[0]).sum() == (box.amax(0) - box.amin(0) + 1).prod(), "even ones are boxes"


def test_an_image_under_several_masks_is_there_once_for_each_and_held_out_under_one():
    one, several = Masked(COLOUR, part="all").open(), Masked(COLOUR, part="all", masks=4).open()
    assert len(several) == 4 * len(one) and fingerprint(several) != fingerprint(one)
    index = torch.tensor([8, 9, 10, 11])
    x, c = several.read(index), several.conditions.of(index)
    assert torch.equal(x, one.read(torch.tensor([2, 2, 2, 2])))
    known = torch.stack([mask(int(i), *x.shape[2:], 0.25) for i in index])
    assert torch.equal(c[:, 3] == 255, known) and len({each.numpy().tobytes() for each in known}) == 4
    parts = {part: Masked(COLOUR, part=part, masks=4).open() for part in ("train", "test")}
    assert len(parts["train"]) == 4 * (len(one) - len(parts["test"]))
    assert {parts["train"].named(i) for i in range(len(parts["train"]))}.isdisjoint(
        parts["test"].named(i) for i in range(len(parts["test"]))
    )
    with pytest.raises(ValueError, match="masks >= 1"):
        Masked(masks=0)


def test_edges_are_dark_where_brightness_changes():
    image = np.zeros((1, 16, 16), np.uint8)
    image[:, :, 8:] = 255
    *_, lines = all_of(Edges(ArraySource(np.repeat(image, 30, 0))))
    assert lines[0, 0, :, 7:9].max() < 30 and lines[0, 0, :, :5].min() == 255 == lines[0, 0, :, 11:].min()


def test_a_relief_is_light_where_brightness_rises_from_the_upper_left():
    dataset = Reliefs(COLOUR).open()
    found = dataset.read(torch.tensor([3, 5])).numpy()
    _, _, grey = all_of(Grayscale(COLOUR))
    height = np.pad(grey[[3, 5], 0].numpy().astype(float), ((0, 0), (1, 1), (1, 1)), mode="edge")
    expected = 127.5 + (height[:, 2:, 2:] - height[:, :-2, :-2]) / 2
    assert found.shape == (2, 1, 12, 16) and np.abs(found[:, 0] - expected).max() <= 0.5
    rising = np.zeros((1, 8, 8), np.uint8)
    rising[:, 4:] = 200
    steps = Reliefs(ArraySource(np.concatenate([rising, 200 - rising]))).open().read(torch.arange(2))[:, 0]
    assert set(steps[0, 3:5].flatten().tolist()) == {228} and set(steps[1, 3:5].flatten().tolist()) == {28}
    assert set(steps[:, [0, 1, 2, 5, 6, 7]].flatten().tolist()) == {128}
    assert dataset.conditions is None and fingerprint(dataset) != fingerprint(COLOUR.open())


def test_a_sample_keeps_its_part_when_others_come(tmp_path):
    def stored(count):
        for i in range(count):
            Picture.fromarray(np.full((8, 8), i, np.uint8)).save(tmp_path / f"{i:03}.png")
        return {int(image[0, 0, 0]) for image in all_of(Edges(str_source(tmp_path)), "test")[1]}

    few, more = stored(40), stored(80)
    digests = {i: hashlib.sha256(f"{i:03}.png".encode()).digest() for i in range(80)}
    assert more == {i for i, digest in digests.items() if int.from_bytes(digest[:4], "big") % 10 == 0}
    assert few and few == {i for i in more if i < 40}


def str_source(path):
    from zerosum.data import source

    return source(path)


def test_batches_hold_pairs_and_a_source_takes_the_place_of_its_own():
    dataset = Downscaled(Digits(), factor=2).open()
    batch = next(Batches(dataset, 6, True, 0, torch.device("cpu")))
    shrunk = torch.nn.functional.interpolate(batch.x, (14, 14), mode="bicubic", antialias=True)
    assert (batch.c - shrunk.clamp(-1, 1)).abs().max() < 1 / 127
    own = Downscaled(Digits(), factor=2)
    assert around(own, COLOUR) == Downscaled(COLOUR, factor=2)
    assert around(own, Masked()) == Masked() and around(Digits(), COLOUR) is COLOUR


def saved(folder, images, suffix="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        Picture.fromarray(image).save(folder / f"{i:02}.{suffix}")


def test_folders_are_paired_by_name(tmp_path):
    images = RANDOM.integers(0, 256, (30, 8, 10, 3), dtype=np.uint8)
    saved(tmp_path / "a", 255 - images)
    saved(tmp_path / "b", images, "bmp")
    (tmp_path / "a" / "03.png").unlink()
    (tmp_path / "b" / "04.bmp").unlink()
    source = PairedFolders(str(tmp_path / "a"), str(tmp_path / "b"))
    dataset, x, c = all_of(source)
    assert len(x) == 28 and torch.equal(c, 255 - x)
    assert any("1 of 29 images of" in note and "no partner of the same name: 04" in note for note in dataset.notes)
    _, fx, fc = all_of(replace(source, flip=True))
    assert torch.equal(fx[1::2], x.flip(-1)) and torch.equal(fc, 255 - fx)
    train, test = (all_of(replace(source, flip=True), part)[1] for part in ("train", "test"))
    mirrors = {row.flip(-1).numpy().tobytes() for row in train}
    assert not any(row.numpy().tobytes() in mirrors for row in test), "an image and its mirror are in one part"
    before = fingerprint(dataset)
    Picture.fromarray(images[0]).save(tmp_path / "a" / "00.png")
    assert fingerprint(source.open()) != before
    with pytest.raises(ValueError, match=r"no image of .* has the name of an image of .*: pairs have equal names"):
        (tmp_path / "c").mkdir()
        Picture.fromarray(images[0]).save(tmp_path / "c" / "other.png")
        PairedFolders(str(tmp_path / "c"), str(tmp_path / "b")).open()


def test_two_images_side_by_side(tmp_path):
    images = RANDOM.integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    saved(tmp_path / "both", np.concatenate([images, 255 - images], 2))
    for direction in ("a-to-b", "b-to-a"):
        dataset, x, c = all_of(SideBySide(str(tmp_path / "both"), direction))
        assert dataset.shape == (3, 8, 8) and torch.equal(c, 255 - x)
        assert np.array_equal((255 - x if direction == "a-to-b" else x)[0].permute(1, 2, 0).numpy(), images[0])
    assert SideBySide(str(tmp_path / "both"), size=4).open().shape == (3, 4, 4)
    saved(tmp_path / "odd", images[:, :, :7])
    with pytest.raises(ValueError, match="images of width 7, which are not two of equal width side by side"):
        SideBySide(str(tmp_path / "odd")).open()


def test_sets_without_pairs_are_in_independent_orders():
    first, second = (ArraySource(np.repeat(np.arange(n, dtype=np.uint8), 64).reshape(n, 8, 8)) for n in (50, 30))
    dataset, x, c = all_of(Unpaired(first, second))
    assert len(x) == 50 and sorted({*c[:, 0, 0, 0].tolist()}) == list(range(50))
    assert {*x[:, 0, 0, 0].tolist()} == set(range(30))
    same = (x[:30, 0, 0, 0] == c[:30, 0, 0, 0]).sum()
    assert same <= 4, "aligned sets do not pair by their order"
    kind = dataset.condition
    assert kind.truths is None and not kind.paired
    test = part_of(first.open(), "test")
    held = {*test.read(torch.arange(len(test)))[:, 0, 0, 0].tolist()}
    trained = {*all_of(Unpaired(first, second), "train")[2][:, 0, 0, 0].tolist()}
    assert held <= {*kind.examples[:, 0, 0, 0].tolist()} and not trained & {*kind.examples[:, 0, 0, 0].tolist()}
    with pytest.raises(
        ValueError, match=r"samples of \(1, 8, 8\) and digits of \(1, 28, 28\): translation needs images"
    ):
        Unpaired(first, Digits()).open()


def test_what_has_no_pairs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="derived from images; ring of 8 has samples of"):
        Edges(Ring()).open()
    with pytest.raises(ValueError, match=r"has no colour \(images of \(1, 28, 28\)\): use RGB images"):
        Grayscale(Digits()).open()
    with pytest.raises(ValueError, match="images of 28x28, which 8 does not divide: choose another size or factor"):
        Downscaled(Digits(), factor=8).open()
    with pytest.raises(ValueError, match="needs a factor of 2, 3, 4, 6, 8, but was given"):
        Downscaled(factor=5)
    with pytest.raises(ValueError, match="needs part to be train, test, all"):
        Masked(part="valid")
    with pytest.raises(ValueError, match=r"needs a share in \(0, 1\)"):
        Masked(share=1.0)
    with pytest.raises(ValueError, match="has no test samples among 1: set part='all'"):
        Edges(ArraySource(np.zeros((1, 8, 8), np.uint8)), part="test").open()


def test_the_kind_is_stored_and_reads_images():
    kind = Downscaled(COLOUR, factor=2).open().condition
    again = Image.restored(kind.facts, kind.state_dict())
    assert again == kind and torch.equal(again.examples, kind.examples) and torch.equal(again.truths, kind.truths)
    wanted = RANDOM.integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)
    values = kind.values(3, wanted)
    assert torch.equal(values[2], values[0]) and np.array_equal(values[1].permute(1, 2, 0).numpy(), wanted[1])
    assert torch.equal(kind.values(20)[16], kind.values(1)[0] if len(kind.examples) == 16 else kind.values(20)[16])
    assert kind.encode(values).min() >= -1 and torch.equal(kind.encode(torch.tensor([0, 255])), torch.tensor([-1.0, 1]))
    assert np.array_equal(Image((1, 4, 4)).values(1, wanted[0, :4, :4, 0])[0, 0].numpy(), wanted[0, :4, :4, 0])
    for wrong in (wanted.astype(np.float32), wanted[:, :5], wanted[:0]):
        with pytest.raises(ValueError, match="conditions are images"):
            kind.values(3, wrong)
    with pytest.raises(ValueError, match="has no examples: pass images"):
        Image((1, 4, 4)).values(1)
    state = kind.state_dict()
    for facts, tensors in (
        ({"size": [3, 6], "paired": True}, state),
        (kind.facts | {"content": "sound"}, state),
        ({"size": [3, 6, 8]}, state),
        (kind.facts | {"size": [3, 6, 0]}, {}),
        (kind.facts | {"size": [3, 6, 9]}, state),
        (kind.facts, {"truths": state["truths"]}),
        (kind.facts, state | {"truths": state["truths"][:1]}),
        (kind.facts, state | {"examples": state["examples"].float()}),
    ):
        with pytest.raises(ValueError, match=r"image|Image"):
            Image.restored(facts, tensors)


def test_a_condition_is_displayed_as_an_image():
    values = torch.arange(12, dtype=torch.uint8).view(1, 12, 1, 1)
    for size, content, channels in ((4, "masked", [0, 1, 2]), (2, "masked", [0]), (12, "frames", [9, 10, 11])):
        assert Image((size, 1, 1), content=content).displayed(values[:, :size]).flatten().tolist() == channels
    for size, content, channels in ((4, "frames", [3]), (3, "image", [0, 1, 2]), (1, "image", [0])):
        assert Image((size, 1, 1), content=content).displayed(values[:, :size]).flatten().tolist() == channels


def test_an_embedding_sees_the_image():
    torch.manual_seed(0)
    kind = Image((3, 12, 16))
    embedding, c = kind.embed(64, 2.0, 1.0), torch.randn(200, 3, 12, 16)
    assert embedding(c).mean().item() == pytest.approx(1, abs=0.1)
    assert torch.equal(kind.embed(5, 0.0, 1.0)(c), torch.ones(200, 5))
    assert kind.with_unknown() is kind and torch.equal(kind.unknown(2), torch.zeros(2, 3, 12, 16))


def test_parts_of_other_conditions_keep_their_values():
    digits = Digits().open()
    test = part_of(digits, "test")
    assert isinstance(test.condition, Labels) and len(test) == len(test.labels) < 1000
    place = [i for i in range(len(digits)) if digits.named(i) == test.named(7)]
    assert torch.equal(test.read(torch.tensor([7])), digits.read(torch.tensor(place)))
    assert test.labels[7] == digits.labels[place]
