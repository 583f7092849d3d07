"""R-precision: how often the caption of an image is found among 99 others."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.data import Digits
from zerosum.evaluation import EvaluationConfig, evaluate
from zerosum.evaluation import caption_matching as subject
from zerosum.evaluation.measures.r_precision import RPrecision
from zerosum.probes import Scenes

CONFIG = EvaluationConfig(device="cpu", cache=False)
DATA = Scenes(count=300, size=20, shapes=2, cells=2, part="all")


@pytest.fixture(scope="module")
def pairs():
    dataset = DATA.open()
    index = torch.arange(len(dataset))
    return dataset.read(index), dataset.conditions.of(index)


def test_captions_of_real_images_are_found_and_those_of_other_images_are_not():
    index = torch.randperm(300, generator=torch.Generator().manual_seed(3))
    real, other = DATA.open(), DATA.open()
    mixed = replace(other, read=lambda rows: other.read(index[rows]))
    found = evaluate(real, mixed, [RPrecision(seen=4_000)], CONFIG)
    share = found.values["r_precision_real"]
    assert share > 0.15 and found.values["r_precision"] < 0.06
    assert found.errors["r_precision_real"] == pytest.approx((share * (1 - share) / 299) ** 0.5)


def test_no_image_is_read_by_a_network_that_was_trained_on_it(pairs, monkeypatch):
    images, captions = pairs
    read = []

    class Reader(torch.nn.Module):
        """Records whether it knows the images that it reads."""

        def __init__(self, known):
            super().__init__()
            self.known = {image.numpy().tobytes() for image in known}

        def forward(self, x):
            pixels = ((x + 1) * 127.5).round().byte()
            read.extend(image.numpy().tobytes() in self.known for image in pixels)
            return torch.ones(len(x), 2), None

        def captions(self, tokens):
            return torch.ones(len(tokens), 2)

    monkeypatch.setattr(subject, "_trained", lambda x, *_: Reader(x))
    right, _ = subject.captions_found(images, images, captions)
    assert read == [False] * 600
    assert not right.any()  # where all captions are alike, none is found


def test_rivals_are_99_other_captions(pairs):
    _, captions = pairs
    rivals = subject._rivals(captions, 0)
    assert rivals.shape == (300, 99)
    assert all(len({*row.tolist()}) == 99 for row in rivals)
    assert not (captions[rivals] == captions[:, None]).all(2).any()


def test_the_loss_is_the_contrast_of_pairs_in_both_directions():
    matcher = subject.Matcher((3, 16, 16), 5, 3)
    captions = torch.tensor([[1, 2, 0], [3, 4, 5], [1, 2, 0], [2, 2, 2]])
    embedded = torch.randn(4, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        value = float(matcher.loss(embedded, captions))
        other = matcher.captions(captions).double().numpy()
    one = embedded.double().numpy()
    cosines = (one / np.linalg.norm(one, axis=1)[:, None]) @ (other / np.linalg.norm(other, axis=1)[:, None]).T
    logits, expected = cosines / 0.1, 0.0
    for i in range(4):
        rivals = [j for j in range(4) if j == i or captions[i].tolist() != captions[j].tolist()]
        expected += np.log(np.exp(logits[i, rivals]).sum()) + np.log(np.exp(logits[rivals, i]).sum()) - 2 * logits[i, i]
    assert value == pytest.approx(expected / 8, rel=1e-5)


def test_what_has_no_captions_or_too_few_is_refused():
    with pytest.raises(ValueError, match="digits has no captions, but a requested metric compares images with them"):
        evaluate(Digits(), Digits(), ("r-precision",), CONFIG)
    few = replace(DATA, count=150)
    with pytest.raises(
        ValueError, match=r"among 99 others, in each half of the pairs; found \d+ others: use more pairs"
    ):
        evaluate(few, few, ("r-precision",), CONFIG)
