"""Evaluations of RGBA images, with extractors of other precisions, and without room for temporary files."""

import tempfile

import numpy as np
import pytest
import torch

from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import Evaluator, evaluate
from zerosum.features.extractor import Features, extracted
from zerosum.features.pixels import Pixels


class Half:
    """An extractor in bfloat16."""

    facts = {"name": "half", "weights": "none", "resize": "none", "dtype": "bfloat16", "dimensions": "4"}  # noqa: RUF012

    def __call__(self, images):
        x = images.flatten(1)[:, :4].to(torch.bfloat16)
        return Features(x, x)


@pytest.fixture
def arrays(make):
    return make.noise_images(40, 8, 4, seed=0), make.noise_images(50, 8, 4, seed=1)


def test_features_in_bfloat16_are_scored_and_cached(arrays, cache):
    real, fake = (one[..., :3] for one in arrays)
    scores = [evaluate(real, fake, ("fid", "kid"), EvaluationConfig(Half())) for _ in range(2)]
    assert scores[0].values == scores[1].values
    exact = evaluate(real.astype(np.uint8), fake, ("fid", "kid"), EvaluationConfig(Half(), cache=False))
    assert scores[0].values == exact.values and np.isfinite([*exact.values.values()]).all()
    assert len([*cache.rglob("*.features.safetensors")]) == 1


@pytest.mark.parametrize("found", [None, "words", torch.zeros(3), torch.zeros(2, 4), torch.zeros(40, 0)])
def test_an_extractor_that_returns_no_features_is_a_sentence(arrays, found):
    class Odd(Half):
        def __call__(self, images):
            return found

    with pytest.raises(ValueError, match=r"half should return features \(40, d\); found"):
        evaluate(*arrays, ("fid",), EvaluationConfig(Odd(), cache=False))


def test_images_with_alpha_are_scored_on_white(arrays):
    real, fake = arrays
    alpha = [one[..., 3:] / 255 for one in arrays]
    on_white = [
        np.round(one[..., :3] * a + 255 * (1 - a)).astype(np.uint8) for one, a in zip(arrays, alpha, strict=True)
    ]
    config = EvaluationConfig("pixels", cache=False)
    assert evaluate(real, fake, ("fid",), config).values == evaluate(*on_white, ("fid",), config).values
    grey = torch.tensor([[[[200, 0], [200, 255]]]], dtype=torch.uint8)
    assert extracted(Pixels(), grey).features.shape[0] == 1
    assert torch.equal(extracted(Pixels(), grey)[0], extracted(Pixels(), torch.tensor([[[[255], [200]]]]).byte())[0])


def test_a_full_temporary_folder_changes_no_score(arrays, monkeypatch, tmp_path):
    evaluator = Evaluator(arrays[0], ("fid",), EvaluationConfig("pixels", cache=False))
    before = evaluator.score(arrays[1])

    def full(*_, **__):
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    after = evaluator.score(arrays[1])
    assert before.errors["fid"] > 0 and (before.values, before.errors) == (after.values, after.errors)
