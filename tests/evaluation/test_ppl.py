"""The perceptual path length of a trained generator, by `evaluate`."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.conditions import Labels
from zerosum.data.dataset import in_memory
from zerosum.evaluation import EvaluationConfig, evaluate
from zerosum.evaluation.measures.ppl import PPL
from zerosum.features.extractor import Features, Function
from zerosum.features.feature_network import FeatureNetwork
from zerosum.game import Normal
from zerosum.game.random import stream
from zerosum.networks import DCGANGenerator, MLPGenerator, StyleGAN2Generator
from zerosum.recipes import named
from zerosum.runs.generator import TrainedGenerator, build_generator

PAIRS, STEP = 150, 0.02
WEIGHT = torch.randn(64, 5, generator=torch.Generator().manual_seed(3))


def see(x, weights):
    return ((x / 127.5 - 1).flatten(1) @ weights["w"],)


class Projected:
    """Pixels, projected at random."""

    def __init__(self):
        self.facts = {"name": "projected", "weights": "none", "resize": "none", "dtype": "float32", "dimensions": "5"}

    def __call__(self, images):
        return Features(see(images.permute(0, 3, 1, 2).float(), {"w": WEIGHT})[0])

    def module(self):
        return FeatureNetwork(see, {"w": WEIGHT})


CONFIG = EvaluationConfig(Projected(), n=PAIRS, cache=False)


def generator(spec, condition=None, shape=(1, 8, 8)):
    torch.manual_seed(0)
    recipe = replace(named("digits"), generator=spec, latent=Normal(6), conditional=condition is not None)
    module = build_generator(recipe, shape, condition).eval().requires_grad_(False)
    return TrainedGenerator(recipe, module, shape, 0, condition)


REAL = in_memory("images", torch.randint(256, (30, 1, 8, 8), dtype=torch.uint8))
CONDITIONAL = Labels(3)


def by_hand(trained, space):
    """The trimmed mean of squared changes per squared step, in float64."""
    module = trained.module.double()
    start, end = Normal(6).draw(2 * PAIRS, stream(0, "path length", PAIRS)).double().chunk(2)
    c = () if trained.condition is None else (torch.arange(PAIRS) % 3,)
    t = torch.rand(PAIRS, generator=torch.Generator().manual_seed(0), dtype=torch.float64).numpy()[:, None]
    if space == "w":
        a, b = (module.mapping(z, *c).numpy() for z in (start, end))
        ends = [a + at * (b - a) for at in (t, t + STEP)]
        made = [module.synthesis(torch.from_numpy(w)) for w in ends]
    else:
        a, b = start.numpy(), end.numpy()
        angle = np.arccos((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1))[:, None]
        ends = [(np.sin((1 - at) * angle) * a + np.sin(at * angle) * b) / np.sin(angle) for at in (t, t + STEP)]
        made = [module(torch.from_numpy(z), *c) for z in ends]
    first, second = (x.numpy().reshape(PAIRS, -1) @ WEIGHT.double().numpy() for x in made)
    lengths = ((first - second) ** 2).sum(1) / STEP**2
    low, high = (np.percentile(lengths, q, method=side) for q, side in ((1, "lower"), (99, "higher")))
    return lengths[(lengths >= low) & (lengths <= high)].mean()


@pytest.mark.parametrize(
    ("spec", "condition", "space"),
    [
        (DCGANGenerator(size=4), None, "z"),
        (DCGANGenerator(size=4), CONDITIONAL, "z"),
        (StyleGAN2Generator(size=4), None, "w"),
        (StyleGAN2Generator(size=4), CONDITIONAL, "w"),
    ],
)
def test_it_is_the_trimmed_change_of_features_along_seeded_paths(spec, condition, space):
    trained = generator(spec, condition)
    found = evaluate(REAL, trained, (PPL(epsilon=STEP, space=space),), CONFIG)
    assert found.values["ppl"] == pytest.approx(by_hand(trained, space), rel=1e-3)
    assert 0 < found.errors["ppl"] < found.values["ppl"]
    assert found.better == {"ppl": "lower"}
    assert found.protocol["metric.ppl"].startswith(f"10000 paths in {space}, step 0.02, 1st to 99th percentile")


def test_it_stands_beside_other_metrics_by_its_name_and_is_the_same_alone():
    trained = generator(DCGANGenerator(size=4))
    beside, alone = (evaluate(REAL, trained, metrics, CONFIG) for metrics in (("fid", "ppl"), ("ppl",)))
    assert beside.values["ppl"] == alone.values["ppl"] > 0


@pytest.mark.parametrize(
    ("fake", "metric", "features", "sentence"),
    [
        (REAL, PPL(), Projected(), "is not a trained generator, whose latents ppl needs: give a run, or remove ppl"),
        (None, PPL(), Function(Projected(), "mine"), "and mine has no network for them: use features such as"),
        (None, PPL(space="w"), Projected(), r"this generator has no mapping network, so its paths are in z"),
    ],
)
def test_what_has_no_paths_is_refused(fake, metric, features, sentence):
    fake = generator(DCGANGenerator(size=4)) if fake is None else fake
    with pytest.raises(ValueError, match=sentence):
        evaluate(REAL, fake, (metric,), replace(CONFIG, features=features))


def test_of_points_the_features_are_the_points():
    trained = generator(MLPGenerator(hidden=(8,)), shape=(2,))
    real = in_memory("points", torch.randn(30, 2))
    assert evaluate(real, trained, ("ppl",), EvaluationConfig(n=PAIRS)).values["ppl"] > 0


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: PPL(pairs=1), "pairs counts paths, at least 2; found 1"),
        (lambda: PPL(epsilon=0.0), r"epsilon is a step relative to the path, in \(0, 1\]; found 0.0"),
        (lambda: PPL(space="x"), "space is 'z' or 'w'; found 'x'"),
    ],
)
def test_settings_out_of_range_are_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
