import numpy as np
import pytest
import safetensors.torch
import torch

from zerosum.data.sources.digits import Digits
from zerosum.features.classifier import ClassifierNetwork, _batches, _moved, restored, train_classifier
from zerosum.training.device import choose_precision, precision_context


def bars(count, shape=(3, 11, 17), classes=4, seed=0):
    """Images of noise with a bright bar across, whose height is the class."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, classes, count)
    images = draw.integers(0, 80, (count, *shape)).astype(np.uint8)
    step = shape[1] // classes
    for image, label in zip(images, labels, strict=True):
        image[:, label * step : label * step + max(step - 1, 1)] = 255
    return torch.from_numpy(images), torch.from_numpy(labels)


@pytest.fixture(scope="module")
def small():
    images, labels = bars(200)
    return train_classifier(images, labels, 4, seen=4000, features=6)


def test_it_reads_what_it_was_taught_and_says_how_well(small):
    images, labels = bars(300, seed=1)
    read = small.probabilities(images)
    assert read.shape == (300, 4)
    assert torch.allclose(read.sum(1), torch.ones(300), atol=1e-5)
    assert (read.argmax(1) == labels).double().mean() > 0.95
    assert small.held_out == 40 and small.accuracy >= 0.9
    assert small.classes == 4 and small.shape == (3, 11, 17)


def test_features_are_what_the_head_reads(small):
    images, _ = bars(20, seed=2)
    features = small.features(images)
    assert features.shape == (20, 6) and bool((features >= 0).all())
    logits = features @ small.reader.head.weight.T + small.reader.head.bias
    assert torch.allclose(logits.softmax(1), small.probabilities(images), atol=1e-5)


def test_an_image_is_read_alike_alone_and_among_others(small):
    images, _ = bars(7, seed=3)
    assert torch.allclose(small.probabilities(images)[3:4], small.probabilities(images[3:4]), atol=1e-6)


def test_the_seed_decides_and_the_global_generator_stands_where_it_stood():
    images, labels = bars(60)
    before = torch.get_rng_state()
    first = train_classifier(images, labels, 4, seed=3, seen=600).state
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    before = torch.get_rng_state()
    same, other = (train_classifier(images, labels, 4, seed=s, seen=600).state for s in (3, 4))
    again = restored(first).state
    assert torch.equal(torch.get_rng_state(), before)
    assert first.keys() == same.keys() == again.keys()
    assert all(torch.equal(first[name], same[name]) and torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_the_accuracy_is_that_on_images_never_shown():
    """Labels by chance cannot be learned, only remembered: on what was held out the accuracy stays at chance."""
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (100, 1, 8, 8), generator=draw).byte()
    labels = torch.randint(0, 2, (100,), generator=draw)
    made = train_classifier(images, labels, 2, seen=12_000)
    remembered = (made.probabilities(images).argmax(1) == labels).double().mean()
    assert made.accuracy < 0.8 and remembered > 0.85


def test_it_goes_through_a_file(small, tmp_path):
    safetensors.torch.save_file(small.state, tmp_path / "c.safetensors")
    back = restored(safetensors.torch.load_file(tmp_path / "c.safetensors"))
    images, _ = bars(30, seed=4)
    assert torch.allclose(back.probabilities(images), small.probabilities(images), atol=1e-6)
    assert (back.accuracy, back.held_out, back.shape, back.classes) == (small.accuracy, 40, (3, 11, 17), 4)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 8, 8), (2, 5, 90), (4, 33, 9), (3, 130, 100)])
def test_any_sides_and_channels(shape):
    images = torch.zeros(12, *shape, dtype=torch.uint8)
    made = train_classifier(images, torch.arange(12) % 3, 3, seen=256, features=5)
    assert made.features(images).shape == (12, 5)
    assert restored(made.state).probabilities(images).shape == (12, 3)


def test_large_images_cost_no_more_than_small_ones():
    """The dense layer, most of the parameters, does not grow with the sides."""
    counts = [
        sum(p.numel() for p in ClassifierNetwork((1, side, side), 10, 128).parameters()) for side in (28, 48, 512)
    ]
    assert counts[1] == counts[2] and counts[2] < 2 * counts[0]


def test_a_move_is_within_reach_each_by_itself_and_repeats_the_edge():
    images = torch.arange(28).byte()[None, None, None, :].expand(400, 1, 28, 28).contiguous()
    moved = _moved(images, torch.Generator().manual_seed(0))[:, 0, 5]
    by = moved[:, 14].int() - 14
    assert sorted(set(by.tolist())) == [-2, -1, 0, 1, 2]
    expected = (torch.arange(28) + by[:, None]).clamp(0, 27)
    assert torch.equal(moved.int(), expected.int())


def test_every_image_comes_once_an_epoch():
    batches = _batches(torch.arange(256) + 7, torch.Generator().manual_seed(0))
    first, second = (torch.cat([next(batches), next(batches)]) for _ in range(2))
    assert first.sort().values.tolist() == second.sort().values.tolist() == list(range(7, 263))
    assert not torch.equal(first, second)


def test_bfloat16_learns_as_well():
    name = choose_precision("auto", torch.device("cpu"), convolutional=True)
    images, labels = bars(200)
    made = train_classifier(images, labels, 4, seen=4000, precision=precision_context(name, torch.device("cpu")))
    assert made.accuracy >= 0.9
    assert made.probabilities(images).dtype == torch.float32


def test_digits_are_read_with_95_percent_after_an_eighth_of_the_usual_training():
    digits = Digits().open()
    images = digits.read(torch.arange(len(digits)))
    name = choose_precision("auto", torch.device("cpu"), convolutional=True)
    made = train_classifier(
        images, digits.labels, 10, seen=6_400, precision=precision_context(name, torch.device("cpu"))
    )
    assert made.held_out == 1000 and made.accuracy >= 0.95


def test_refusals(small):
    images, labels = bars(20)
    with pytest.raises(ValueError, match=r"ten or more uint8 images \(N, C, H, W\); found float32 \(20, 3, 11, 17\)"):
        train_classifier(images.float(), labels, 4)
    with pytest.raises(ValueError, match="ten or more uint8 images"):
        train_classifier(images[:9], labels[:9], 4)
    with pytest.raises(ValueError, match=r"one int64 label per image, \(20,\); found int64 \(19\)"):
        train_classifier(images, labels[1:], 4)
    with pytest.raises(ValueError, match=r"labels lie in \[0, classes\) for two or more classes; found 0\.\.3 of 3"):
        train_classifier(images, labels, 3)
    with pytest.raises(ValueError, match=r"this classifier reads uint8 images \(N, 3, 11, 17\); found uint8 \(20, 3"):
        small.probabilities(images[:, :, :10])
    with pytest.raises(ValueError, match=r"a classifier's state holds accuracy, head.weight, held_out, shape and more"):
        restored({"weights": torch.zeros(1)})
