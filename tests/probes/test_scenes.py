"""Scenes are what their captions say, by a detector that does not know how they are drawn."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch.nn.functional import avg_pool2d, pad

from zerosum.data.fingerprints import fingerprint
from zerosum.probes import SceneObject, Scenes, answers, follows, scene_objects

HELD_OUT = {("blue", "circle"), ("red", "square"), ("yellow", "triangle")}
KINDS = ("circle", "square", "triangle")
N = 400


def images(source):
    data = source.open()
    return data.read(torch.arange(len(data))), source.captions()


def pairs(caption):
    words = caption.split()
    return {(colour, kind) for colour, kind in pairwise(words) if kind in KINDS}


def swapped(caption):
    for word, other in (("left", "right"), ("right", "left"), ("above", "below"), ("below", "above")):
        if word in caption.split():
            return " ".join(other if one == word else one for one in caption.split())
    return caption


@pytest.mark.parametrize("size", [32, 64])
def test_every_scene_fits_its_caption(size):
    x, captions = images(Scenes(count=N, size=size, part="all"))
    assert follows(x, captions).summary().kept >= 0.99
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    assert follows((x + 6 * noise).round().clamp(0, 255).byte(), captions).summary().kept >= 0.97
    if size == 64:
        soft = avg_pool2d(pad(x.float(), (1, 1, 1, 1), mode="replicate"), 3, 1).round().byte()
        assert follows(soft, captions).summary().kept >= 0.95


@pytest.mark.parametrize(("shapes", "cells", "size"), [(1, 2, 20), (2, 2, 24), (2, 3, 32), (3, 3, 30)])
def test_fewer_shapes_in_fewer_cells_fit_their_captions(shapes, cells, size):
    x, captions = images(Scenes(count=N, size=size, part="all", shapes=shapes, cells=cells))
    assert x.shape[2:] == (size, size) and max(caption.count("a ") for caption in captions) == shapes
    assert follows(x, captions, cells).summary().kept >= 0.99
    if cells == 2:
        assert follows(x, captions).summary().kept < 0.6, "sizes are relative to a cell"
    words = {word for caption in captions for word in caption.split()}
    assert {*Scenes(shapes=shapes, cells=cells, size=size).open().condition.words} == words


def test_answers_say_what_is_right():
    x = torch.full((1, 3, 40, 40), 20, dtype=torch.uint8)
    x[0, 1, 4:12, 6:14] = 220
    x[0, 2, 24:28, 20:24] = 220
    captions = {
        "a large green square above a small blue square": (1, 1, 1, 1, 1),
        "a small blue square below a large green square": (1, 1, 1, 1, 1),
        "a blue square above a green square": (1, 1, 1, 1, 0),
        "a small green square above a small blue square": (1, 0, 1, 1, 1),
        "a large red square above a small blue square": (1, 1, 0, 1, 1),
        "a large green square above a small blue circle": (1, 1, 1, 0, 1),
        "a large green square": (0, 0, 0, 0, 0),
    }
    found = answers(x.expand(len(captions), -1, -1, -1), [*captions])
    table = torch.stack([found.count, found.size, found.colour, found.kind, found.place], 1)
    assert table.int().tolist() == [*map(list, captions.values())]
    assert found.related.tolist() == [True] * 6 + [False]
    none = answers(torch.zeros(1, 3, 40, 40, dtype=torch.uint8), ["a red circle"])
    assert not none.count.any() and not none.colour.any()


def test_any_other_caption_is_refuted():
    x, captions = images(Scenes(count=N, part="all"))
    changes = (
        *((("small", "large"), ("large", "small")), (("red", "green"), ("yellow", "cyan"), ("blue", "purple"))),
        *((("circle", "square"), ("square", "circle")), (("triangle", "circle"),)),
    )
    for change in changes:
        words = dict(change)
        others = [" ".join(words.get(word, word) for word in caption.split()) for caption in captions]
        changed = torch.tensor([one != other for one, other in zip(captions, others, strict=True)])
        verdict = follows(x, others)
        assert changed.sum() > 50 and verdict.readable.double().mean() >= 0.99
        assert verdict.right[changed].double().mean() < 0.02
        assert verdict.right[~changed].sum() >= 0.98 * (~changed).sum()
    one = torch.tensor([caption.count(" a ") == 1 for caption in captions])
    assert not follows(x[one], [swapped(c) for c, chosen in zip(captions, one, strict=True) if chosen]).right.any()
    assert not follows(x[one], ["a red circle"] * int(one.sum())).right.any(), "the number of objects counts"


def test_objects_are_measured():
    x = torch.full((2, 3, 40, 40), 20, dtype=torch.uint8)
    x[0, 1, 4:12, 6:14] = 220
    x[0, 2, 24:28, 20:24] = 220
    x[1, 0, :30, :30] = 255
    found, none = scene_objects(x)
    green, blue = found
    assert green == SceneObject("large", "green", "square", (0.25, 0.2))
    assert (blue.size, blue.colour, blue.kind) == ("small", "blue", "square") and blue.centre == (0.55, 0.65)
    assert none is None, "too large for a shape"
    verdict = follows(x, ["the green square above a blue square", "a red square"])
    assert verdict.readable.tolist() == [True, False] == verdict.right.tolist()
    assert follows(x[:1], ["a small blue square, below a large green square"]).right.all()
    assert not follows(x[:1], ["a small blue square, right of a large green square"]).right.any()
    assert scene_objects(torch.zeros(1, 3, 32, 32, dtype=torch.uint8)) == [None]


def test_held_out_pairs_are_in_no_training_scene_and_every_word_is():
    (_, train), (_, test), (_, every) = (images(Scenes(count=2000, part=part)) for part in ("train", "test", "all"))
    assert len(train) + len(test) == len(every) == 2000 and 0.2 < len(test) / 2000 < 0.4
    assert all(not pairs(caption) & HELD_OUT for caption in train)
    assert all(pairs(caption) & HELD_OUT for caption in test)
    assert len(set().union(*map(pairs, train))) == 15 and set().union(*map(pairs, test)) >= HELD_OUT
    kind = Scenes(count=2000).open().condition
    assert {word for caption in train for word in caption.split()} == {*kind.words}
    lengths = [caption.count(" a ") + caption.startswith("a ") for caption in every]
    assert all(lengths.count(number) > 550 for number in (1, 2, 3))
    assert {kind.caption(row) for row in kind.examples} <= {*test}, "examples are held out of training"


def test_a_scene_depends_on_its_seed_and_index_alone():
    few, many, other = (
        images(Scenes(count=count, seed=seed, part="all")) for count, seed in ((20, 0), (150, 0), (20, 1))
    )
    assert torch.equal(few[0], many[0][:20]) and few[1] == many[1][:20]
    assert not torch.equal(few[0], other[0]) and few[1] != other[1]
    source = Scenes(count=50)
    prints = {fingerprint(replace(source, part=part).open()) for part in ("train", "test", "all")}
    assert len(prints) == 3 and fingerprint(source.open()) in prints


def test_what_is_no_scene_is_refused():
    x = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    with pytest.raises(ValueError, match="a scene's caption is like 'a red circle above a small blue square'; found"):
        follows(x, ["a dog"])
    with pytest.raises(ValueError, match="each image has a caption; found 1 images and 2 captions"):
        follows(x, ["a red circle"] * 2)
    with pytest.raises(ValueError, match=r"scenes are uint8 images \(B, 3, H, W\); found torch.float32"):
        scene_objects(x.float())
    with pytest.raises(ValueError, match="needs size >= 10 cells and count >= 1"):
        Scenes(size=29)
    for wrong in ({"shapes": 0}, {"shapes": 4}, {"shapes": 3, "cells": 2}):
        with pytest.raises(ValueError, match="needs 1 <= shapes <= 3, and as many cells"):
            Scenes(**wrong)
    with pytest.raises(ValueError, match="needs part to be train, test, all"):
        Scenes(part="some")
