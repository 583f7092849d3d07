"""Sets, metrics and settings that an evaluation refuses, each in one sentence."""

import pytest
import torch

from zerosum.data.dataset import in_memory
from zerosum.data.sources.arrays import ArraySource
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import Evaluator, evaluate
from zerosum.evaluation.stored import save_moments
from zerosum.features.extractor import Features, Function
from zerosum.features.pixels import Pixels
from zerosum.game.device import choose_device


def small(images):
    """Two features of an image, and logits of three classes."""
    x = images.double().flatten(1) / 255
    return Features(torch.stack([x.mean(1), x.std(1)], 1).float(), x[:, :3].float())


PLAIN = EvaluationConfig(Function(small, "small"), cache=False)
PIXELS = EvaluationConfig(Pixels())
NAN = EvaluationConfig(Function(lambda images: torch.full((len(images), 2), torch.nan), "broken"))


@pytest.fixture
def sets(make, tmp_path):
    """Sets by name: two good ones, others, and the moments of the first in a file."""
    x = [torch.from_numpy(make.noise_images(90, seed=seed)).permute(0, 3, 1, 2).contiguous() for seed in (0, 1)]
    a, b = (in_memory("images", images, torch.arange(90) % 3, ("a", "b", "c")) for images in x)
    save_moments(tmp_path / "m.safetensors", Evaluator(a, ("fid",), PLAIN).stored_moments())
    others = {"one": make.noise_images(1), "few": make.noise_images(9), "wide": make.noise_images(9, size=9)}
    named = {name: ArraySource(images) for name, images in others.items()}
    return named | {"a": a, "b": b, "moments": tmp_path / "m.safetensors", "points": "Ring()"}


@pytest.mark.parametrize(
    ("real", "fake", "metrics", "config", "sentence"),
    [
        ("one", "b", ("fid",), PLAIN, "has 1 sample, but scores need at least 2 in each set"),
        ("a", "one", ("fid",), PLAIN, "array has 1 sample"),
        (
            "a",
            "b",
            ("fod",),
            PLAIN,
            "unknown metric 'fod'; available are cas, .*; docs/evaluate.md explains how to add",
        ),
        ("a", "b", (), PLAIN, "at least one metric is needed; available are cas, consistency, fid"),
        ("a", "b", ("memorisation",), PLAIN, r"real samples held out of training: pass held_out \(--held-out\)"),
        ("a", "b", ("is",), PIXELS, "have no logits, which the inception score needs"),
        ("few", "b", ("cas",), PLAIN, "has no labels, but a requested metric needs them"),
        ("a", "b", ("kid",), NAN, "should be finite numbers; those of sample 0 are not"),
        ("a", "wide", ("fid",), PLAIN, "are 12x12 and those of array 9x9: resize"),
        ("moments", "b", ("kid",), PLAIN, "contains only moments, but kid needs real features"),
        ("a", "moments", ("fid",), PLAIN, "contains only moments, but a generated set needs samples"),
        ("moments", "b", ("fid",), PIXELS, "have different features: "),
        ("points", "points", ("cas",), EvaluationConfig(), "has no images, but a requested metric needs them"),
    ],
)
def test_invalid_sets_raise_one_sentence(sets, real, fake, metrics, config, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate(sets[real], sets[fake], metrics, config)


def test_moments_are_computed_for_fid_only(sets):
    with pytest.raises(ValueError, match="moments are only computed for fid"):
        Evaluator(sets["a"], ("kid",), PLAIN).stored_moments()


def test_without_the_weights_of_inception_the_choices_are_named(sets, monkeypatch):
    def offline(*arguments, **options):
        raise OSError("no network here")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(ValueError, match=r"no network here.*; or use other features, such as --features lite0"):
        evaluate(sets["a"], sets["b"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n": 1}, "n, the number of samples from each set, must be at least 2; found 1"),
        ({"batch": 0}, "batch, the batch size of the extractor, must be at least 1; found 0"),
    ],
)
def test_an_invalid_config_is_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        EvaluationConfig(**options)


def test_an_unavailable_device_is_refused():
    with pytest.raises(ValueError, match="no device 'abacus' here; there is"):
        _ = EvaluationConfig(device="abacus").where
    assert EvaluationConfig(device="cpu").where == torch.device("cpu")


@pytest.mark.parametrize(("cuda", "mps", "kind"), [(False, False, "cpu"), (False, True, "mps"), (True, True, "cuda")])
def test_auto_is_the_same_device_as_in_training(monkeypatch, cuda, mps, kind):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert EvaluationConfig().where == choose_device("auto") == torch.device(kind)
