"""How far images are outside a generator's range: what they are compared with, and what is printed."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from zerosum.conditions import Labels
from zerosum.data.dataset import in_memory
from zerosum.game import Normal
from zerosum.latent import InvertOptions, LatentModel, Reach, invert, invert_measured, space_of
from zerosum.latent import reach as reach_module

A = torch.randn(64, 6, generator=torch.Generator().manual_seed(0)) / 20
OPTIONS = InvertOptions(2, 80, 60, features="", encoder=0)


def call(z, c=None):
    return (z @ A.T).view(-1, 1, 8, 8) + (0 if c is None else c[:, None, None, None] / 20)


SPACE, CLASSES = space_of(LatentModel(call, Normal(6))), space_of(LatentModel(call, Normal(6), Labels(3)))


@dataclass(frozen=True)
class Given:
    """Images in [-1, 1] as data, a third of which may be held out."""

    images: Any
    labels: Any = None

    def open(self):
        return in_memory(
            "given",
            ((self.images + 1) * 127.5).round().byte(),
            self.labels,
            () if self.labels is None else tuple("012"),
        )


@dataclass(frozen=True)
class Split(Given):
    """The same in two parts."""

    part: str = "train"

    def open(self):
        rows = slice(None, 20) if self.part == "train" else slice(20, None)
        return Given(self.images[rows], None).open()


@dataclass(frozen=True)
class Absent:
    """Data that are not there."""

    def open(self):
        raise ValueError("there are none")


def noisy(n, noise, seed=5):
    draw = torch.Generator().manual_seed(seed)
    return call(SPACE.draw(n, seed)) + noise * torch.randn(n, 1, 8, 8, generator=draw)


def test_errors_are_compared_with_those_of_samples_and_of_held_out_images():
    data = Split(noisy(30, 0.05))
    images = torch.cat([call(SPACE.draw(1, 8)), noisy(1, 0.02, 9), noisy(1, 0.2, 9), data.images[:1]])
    found, reach = invert_measured(SPACE, images, data, options=OPTIONS, references=9)
    assert found.points.shape == (4, 6) and reach.kind == "held-out" and reach.compared == 20
    assert len(reach.own) == len(reach.real) == 9
    assert torch.equal(reach.errors, found.errors) and float(reach.own.max()) < 0.003
    assert reach.above_real.tolist() == [0, 0, 1, pytest.approx(0.5, abs=0.5)]
    assert reach.above_own.tolist()[1:3] == [1, 1] and reach.outside.tolist()[:3] == [False, False, True]
    alone = invert(SPACE, data.images[20:29], options=OPTIONS).errors
    assert reach.real.numpy() == pytest.approx(alone.numpy(), abs=1e-3)
    assert float(reach.nearest[3]) < 1 / 255 < float(reach.nearest[:3].min())
    wanted = torch.cdist(images.flatten(1), data.images[:20].flatten(1)).amin(1) / 16
    assert reach.nearest.numpy() == pytest.approx(wanted.numpy(), abs=2e-3)


def test_the_samples_are_others_than_those_from_which_the_search_starts():
    _, reach = invert_measured(SPACE, noisy(1, 0.2), Absent(), options=replace(OPTIONS, steps=4), references=9)
    assert float(reach.own.min()) > 0.003


@dataclass(frozen=True)
class Few(Split):
    """Too few images for one to be held out."""

    def open(self):
        if self.part != "train":
            raise ValueError("no test samples")
        return Given(self.images).open()


def test_where_no_image_is_held_out_the_training_images_are_the_measure():
    _, reach = invert_measured(SPACE, noisy(1, 0.2), Few(noisy(6, 0.05)), options=OPTIONS, references=4)
    assert reach.kind == "training" and len(reach.real) == 4 and reach.compared == 6 and not reach.note


def test_data_of_another_shape_are_none():
    data = Given(torch.rand(5, 1, 9, 8))
    _, reach = invert_measured(SPACE, noisy(1, 0.2), data, options=OPTIONS, references=4)
    assert reach.note == "images have the shape (1, 9, 8), and the generator's (1, 8, 8)" and not len(reach.real)
    with pytest.raises(ValueError, match="references are a number of samples and of real images, 0 or more; found -1"):
        invert_measured(SPACE, noisy(1, 0.2), data, references=-1)


def test_images_are_read_a_few_at_a_time(monkeypatch):
    data = noisy(7, 0.05)
    wanted = torch.cdist(noisy(2, 0.2, 9).flatten(1), data.flatten(1)).amin(1) / 16
    monkeypatch.setattr(reach_module, "_VALUES", 3 * 64)
    _, reach = invert_measured(SPACE, noisy(2, 0.2, 9), Given(data), options=OPTIONS, references=0)
    assert reach.nearest.numpy() == pytest.approx(wanted.numpy(), abs=2e-3) and reach.compared == 7


def test_a_collapsed_generator_is_measured_by_real_images_alone():
    errors = torch.tensor([0.25, 0.05])
    reach = Reach(errors, torch.zeros(0), torch.tensor([0.1, 0.2]), "training", torch.zeros(0), 0)
    assert reach.lines(["a", "b"])[0] == (
        "a: error 0.250; larger than the error of 100% of 2 training images: outside the generator's range"
    )
    assert [one["outside"] for one in reach.facts(["a", "b"])] == [True, False]


def test_classes_that_are_given_are_given_to_all():
    c = torch.arange(12) % 3
    data = Given(call(SPACE.draw(12, 4), c), c)
    images = call(SPACE.draw(2, 8), torch.tensor([1, 2]))
    for wanted in (["1", "2"], None):
        found, reach = invert_measured(CLASSES, images, data, wanted, OPTIONS, 6)
        assert found.inputs.c.tolist() == [1, 2] and reach.kind == "training"
        assert float(reach.real.max()) < 0.004 > float(reach.own.max())


def test_without_data_samples_are_the_measure_and_without_references_nothing_is():
    _, reach = invert_measured(SPACE, noisy(2, 0.2), Absent(), options=OPTIONS, references=5)
    assert not len(reach.real) and not len(reach.nearest) and reach.outside.all() and reach.note == "there are none"
    assert reach.lines(["a", "b"])[1].endswith(
        "larger than the error of 100% of 5 samples: outside the generator's range"
    )
    _, reach = invert_measured(SPACE, noisy(2, 0.2), Absent(), options=OPTIONS, references=0)
    assert reach.lines(["a", "b"])[0] == f"a: error {reach.errors[0]:.3f}"
    assert reach.facts(["a", "b"])[0] == {"image": "a", "error": float(reach.errors[0])}


def test_constant_images_of_the_data_are_no_reference():
    data = Given(torch.cat([noisy(5, 0.05), torch.zeros(5, 1, 8, 8)]))
    _, reach = invert_measured(SPACE, noisy(1, 0.2), data, options=OPTIONS, references=10)
    assert len(reach.real) == 5 and reach.compared == 10


def test_images_of_one_colour_are_no_reference_whatever_the_colour():
    space = space_of(LatentModel(lambda z: (z @ torch.cat([A] * 3).T).view(-1, 3, 8, 8), Normal(6)))
    red = torch.tensor([1.0, -1, -1]).view(1, 3, 1, 1).expand(4, 3, 8, 8)
    images = space.images(space.draw(3, 5), space.model.inputs(3))
    _, reach = invert_measured(space, images[:1], Given(torch.cat([images, red])), options=OPTIONS, references=7)
    assert len(reach.real) == 3 and reach.compared == 7


def test_a_line_says_what_was_measured():
    errors = torch.tensor([0.25, 0.05])
    reach = Reach(errors, torch.tensor([0.01, 0.2]), torch.tensor([0.1, 0.2]), "training", errors * 2, 5000)
    assert reach.lines(["a.png", "b.png"]) == [
        "a.png: error 0.250; the nearest of 5,000 training images is 0.500 away; larger than the error of 100% of 2 "
        "samples and 100% of 2 training images: outside the generator's range",
        "b.png: error 0.050; the nearest of 5,000 training images is 0.100 away; larger than the error of 50% of 2 "
        "samples and 0% of 2 training images: within the generator's range",
    ]
    facts = reach.facts(["a", "b"])
    assert facts[0]["outside"] and not facts[1]["outside"]
    assert facts[1] | {"above_samples": 0.5, "above_real": 0, "training_images": 5000, "real": "training"} == facts[1]
    assert not replace(reach, real=torch.zeros(0)).outside[1]
    without = replace(reach, note="there are none", kind="")
    assert without.lines(["a", "b"])[-1] == "the training data cannot be read: there are none"
