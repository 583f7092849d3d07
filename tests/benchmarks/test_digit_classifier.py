import json

import numpy as np
import pytest
import torch
from benchmarks.quality import digit_classifier as subject
from benchmarks.quality import reader
from torch import nn


def gaussian(seed, d=6):
    draw = np.random.default_rng(seed)
    root = draw.normal(size=(d, d))
    return draw.normal(size=d), root @ root.T


def test_the_frechet_distance_is_that_of_the_product_form():
    (mean_a, cov_a), (mean_b, cov_b) = gaussian(0), gaussian(1)
    product = np.sqrt(np.linalg.eigvals(cov_a @ cov_b).real).sum()
    expected = ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * product
    assert subject.frechet(mean_a, cov_a, mean_b, cov_b) == pytest.approx(expected, rel=1e-9)


def test_the_frechet_distance_of_a_distribution_to_itself_is_zero_even_where_the_covariance_is_singular():
    mean, cov = gaussian(2)
    cov[:, 0] = cov[0, :] = 0
    assert subject.frechet(mean, cov, mean, cov) == pytest.approx(0, abs=1e-6)


def test_a_shift_shifts_every_image_by_itself_within_its_radius():
    images = torch.zeros(400, 9, 9, dtype=torch.uint8)
    images[:, 4, 4] = 255
    moved = reader.shifted(images, 2, torch.Generator().manual_seed(0))
    where = moved.nonzero()[:, 1:]
    assert moved.shape == images.shape and len(where) == 400
    assert sorted(set(map(tuple, where.tolist()))) == [(i, j) for i in range(2, 7) for j in range(2, 7)]


class Reads(nn.Module):
    """Predicts the digit from the first pixel, with confidence if the second pixel is set."""

    def forward(self, x):
        pixels = ((x[:, 0, 0] + 1) * 127.5).round()
        digit, sure = pixels[:, 0].long(), pixels[:, 1]
        return nn.functional.one_hot(digit, 10) * (1 + 20 * sure)[:, None], pixels[:, :4]


def classifier_of(reader):
    return subject.DigitClassifier(reader, np.zeros(4), np.eye(4), 1.0, "", {})


def test_a_verdict_counts_confidence_right_answers_and_digits():
    images = np.zeros((200, 28, 28), np.uint8)
    images[:100, 0, 0], images[100:199, 0, 0], images[199, 0, 0] = 3, 7, 1
    images[:50, 0, 1] = 1
    labels = np.full(200, 3)
    found = classifier_of(Reads()).verdict(images, labels)
    assert (found["samples"], found["confident"], found["right"]) == (200, 0.25, 0.5)
    assert found["per_digit"] == [0, 0.005, 0, 0.5, 0, 0, 0, 0.495, 0, 0]
    assert found["present"] == 2
    features = images.reshape(200, -1)[:, :4].astype(float)
    expected = subject.frechet(features.mean(0), np.cov(features.T), np.zeros(4), np.eye(4))
    assert found["fid"] == pytest.approx(expected)
    assert classifier_of(Reads()).verdict(images)["right"] is None


def test_a_verdict_takes_grey_and_rgb_and_says_what_else_it_cannot_take():
    images = np.random.default_rng(0).integers(0, 9, (6, 28, 28), np.uint8)
    plain = classifier_of(Reads()).verdict(images)
    assert classifier_of(Reads()).verdict(images[..., None]) == plain
    assert classifier_of(Reads()).verdict(images[..., None].repeat(3, -1)) == plain
    for wrong in (images[:, :20], images.astype(np.float32), images[:1], np.zeros((4, 28, 28, 3))):
        with pytest.raises(ValueError, match=r"two or more uint8 images of 28 x 28 .* found "):
            classifier_of(Reads()).verdict(wrong)
    with pytest.raises(ValueError, match="5 labels for 6 images"):
        classifier_of(Reads()).verdict(images, np.zeros(5))


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Ten classes that anything can learn: a bright band at a height of its own."""
    draw = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 1280), ("test", 200)):
        labels = draw.integers(0, 10, count)
        images = draw.integers(0, 90, (count, 28, 28), np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 * label + 4 : 2 * label + 6] = 255
        arrays |= {f"x_{part}": images, f"y_{part}": labels.astype(np.uint8)}
    path = tmp_path_factory.mktemp("judge") / "digits.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def cache(archive):
    """A classifier trained for a moment, without shifts, which would blur the classes into each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "SHIFT", 0)
        patch.setattr(subject, "EPOCHS", 3)
        subject.build(archive, archive.with_name("judge.safetensors"))
    return archive.with_name("judge.safetensors")


def test_a_trained_classifier_is_right_and_is_read_back_from_its_cache_without_the_data(archive, cache, tmp_path):
    classifier = subject.load_classifier(tmp_path / "absent.npz", cache)
    assert classifier.accuracy > 0.95
    with np.load(archive) as arrays:
        again = classifier.verdict(arrays["x_test"], arrays["y_test"])
    assert again == classifier.baselines["real: test"]
    assert classifier.baselines["real: training"]["fid"] == pytest.approx(0, abs=1e-3)


def test_a_classifier_of_another_protocol_is_not_used(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(subject, "PROTOCOL", "another")
    with pytest.raises(ValueError, match=r"no MNIST archive at .*absent.npz: give --data"):
        subject.load_classifier(tmp_path / "absent.npz", cache)


@pytest.mark.slow
def test_without_an_archive_the_embedded_digits_make_a_classifier_of_their_own(cache, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(subject, "DATA", tmp_path / "absent.npz")
    assert subject.load_classifier(cache=cache).data == "MNIST", "one that is cached serves without its archive"
    trained = []
    monkeypatch.setattr(
        subject, "train", lambda x, y, epochs: trained.append((len(x), epochs)) or reader.train(x, y, 1)
    )
    classifier = subject.load_classifier(cache=tmp_path / "judge.safetensors")
    assert trained == [(4_000, 90)], "as many training images in total as for MNIST, and never the held-out thousand"
    assert (
        classifier.data == "embedded"
        and classifier.accuracy > 0.8
        and classifier.baselines["real: test"]["samples"] == 1_000
    )
    assert "a classifier of the embedded digits is used" in capsys.readouterr().err
    again = subject.load_classifier(cache=tmp_path / "judge.safetensors")
    assert (again.fingerprint, len(trained)) == (classifier.fingerprint, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["judge-embedded.safetensors"]


def test_the_embedded_digits_are_split_evenly_over_the_classes():
    x, y, x_test, y_test = subject.split(None)
    assert x.shape == (4_000, 28, 28) and x_test.shape == (1_000, 28, 28)
    assert (np.bincount(y) == 400).all() and (np.bincount(y_test) == 100).all()


def run(capsys, cache, *arguments):
    code = subject.main([*map(str, arguments), "--cache", str(cache)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_command_prints_a_table_or_one_json_object(capsys, cache, tmp_path):
    images = np.random.default_rng(1).integers(0, 255, (30, 28, 28, 1), np.uint8)
    np.savez(tmp_path / "s.npz", images=images, labels=np.zeros(30, int))
    code, out, _ = run(capsys, cache, tmp_path / "s.npz")
    assert code == 0 and "real: test" in out and f"{tmp_path / 's.npz'}" in out
    code, out, _ = run(capsys, cache, tmp_path / "s.npz", "--json")
    found = json.loads(out)["verdicts"]
    assert code == 0 and found[str(tmp_path / "s.npz")]["samples"] == 30


def test_the_command_draws_from_a_run(capsys, cache, tmp_path, monkeypatch):
    import zerosum

    class Generator:
        def sample(self, n, seed):
            return np.random.default_rng(seed).integers(0, 255, (n, 28, 28, 1), np.uint8)

        def labels(self, n):
            return np.arange(n) % 10

    monkeypatch.setattr(zerosum, "load", lambda run: Generator(), raising=False)
    code, out, _ = run(capsys, cache, tmp_path, "--count", 20, "--json")
    assert code == 0 and json.loads(out)["verdicts"][str(tmp_path)]["samples"] == 20


def test_the_command_says_what_it_cannot_evaluate(capsys, cache, tmp_path):
    np.savez(tmp_path / "other.npz", points=np.zeros(3))
    code, _, err = run(capsys, cache, tmp_path / "other.npz")
    assert code == 2 and "other.npz contains points; expected images (and labels)" in err
    code, _, err = run(capsys, cache, tmp_path / "absent")
    assert code == 2 and "give run folders or .npz archives" in err
