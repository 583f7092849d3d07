"""Standard errors of all metrics: two sets of samples of one generator are rarely called different."""

import pytest
import torch

from zerosum.evaluation.compare import differ
from zerosum.evaluation.gathered import Gathered
from zerosum.evaluation.measure import MeasureInput, measure_kinds
from zerosum.evaluation.measures.cas import CAS
from zerosum.evaluation.measures.ppl import PPL
from zerosum.metrics.path_length import perceptual_path_length

PAIRS, MOST = 200, 0.08  # 4.6 % by a normal distribution, more by errors that are estimates themselves
COUNT, CLASSES, WIDTH = 400, 4, 8
DIRECTED = {name for kind in measure_kinds().values() for name, info in kind().gives.items() if info.better}

OF_SETS = [name for name, kind in measure_kinds().items() if not {"paths", "pairs", "texts"} & kind().needs.fake]


def drawn(seed, spread=1.0, classes=CLASSES):
    """A set of samples with features, logits, labels and small images."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (COUNT,), generator=draw)
    centres = 2 * torch.randn(CLASSES, WIDTH, generator=torch.Generator().manual_seed(99))
    features = centres[labels] + spread * torch.randn(COUNT, WIDTH, generator=draw)
    images = (60 * features[:, None, :, None].expand(-1, 8, -1, 1) / 6 + 128).clamp(0, 255).to(torch.uint8)
    logits = 0.5 * features @ centres.T
    return Gathered("set", COUNT, str(seed), features=features, logits=logits, labels=labels, images=images)


def rates(measure, **generator):
    """For each score, the share of pairs of sets of one generator that are called different."""
    real, held_out = drawn(1), drawn(2)
    found = [measure(MeasureInput(real, drawn(10 + n, **generator), held_out)) for n in range(2 * PAIRS)]
    pairs = [*zip(found[::2], found[1::2], strict=True)]
    return {
        name: sum(differ(one[name].value, one[name].error, two[name].value, two[name].error) for one, two in pairs)
        / PAIRS
        for name in found[0]
    }


class Paths:
    """The path lengths of a small generator, between latents that a seed gives."""

    def __init__(self, seed):
        self.seed = seed

    def lengths(self, pairs, epsilon, space, seed):
        draw = torch.Generator().manual_seed(self.seed)
        start, end = torch.randn(2, pairs, 4, generator=draw, dtype=torch.float64)
        made = perceptual_path_length(self.features, start, end, epsilon, seed=self.seed, batch=pairs)
        return made.lengths

    @staticmethod
    def features(z):
        return (z + 2 * z.roll(1, 1).sin()).tanh()


def test_path_lengths_of_one_generator_are_called_different_in_few_pairs():
    inputs = (MeasureInput(drawn(1), Gathered("set", COUNT, "", paths=Paths(n))) for n in range(2 * PAIRS))
    found = [PPL()(one)["ppl"] for one in inputs]
    pairs = zip(found[::2], found[1::2], strict=True)
    assert sum(differ(one.value, one.error, two.value, two.error) for one, two in pairs) / PAIRS <= MOST


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("generator", [{}, {"spread": 0.8}], ids=["equal", "narrow"])
@pytest.mark.parametrize("name", OF_SETS)
def test_sets_of_one_generator_are_called_different_in_few_pairs(name, generator, record_property):
    found = rates(CAS(seen=1280) if name == "cas" else measure_kinds()[name](), **generator)
    record_property("rates", found)
    assert max(found.values()) <= MOST, found


def test_every_score_with_a_better_direction_has_an_error():
    """One without would never be called different: `compare` says so."""
    inputs = MeasureInput(drawn(1), drawn(3), drawn(2))
    for name in OF_SETS:
        measure = CAS(seen=1280) if name == "cas" else measure_kinds()[name]()
        found = measure(inputs)
        assert all(found[score].error > 0 for score in DIRECTED & found.keys()), name
        assert all(info.error for score, info in measure.gives.items() if score in DIRECTED), name
