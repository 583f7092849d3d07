"""Sets that lack a class, the last one too, whose number is known from the other set or from the names alone."""

import pytest
import torch

from zerosum.data.dataset import in_memory
from zerosum.data.sources.digits import Digits
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import Evaluator, evaluate
from zerosum.evaluation.measures.cas import CAS
from zerosum.features.pixels import Pixels
from zerosum.metrics.frechet import intra_class_frechet

PLAIN = EvaluationConfig(Pixels(), cache=False)
NAMES = ("bright", "grey", "dark")


def stripes(labels, seed=0):
    """Images whose brightness is their class."""
    draw = torch.Generator().manual_seed(seed)
    x = labels[:, None, None, None] * 80 + torch.randint(0, 60, (len(labels), 1, 8, 8), generator=draw)
    return in_memory("stripes", x.byte(), labels, NAMES)


@pytest.mark.parametrize("lacking", [0, 4, 9])
def test_a_conditional_generator_is_not_asked_for_a_class_that_the_reference_set_lacks(run, lacking):
    digits = Digits().open()
    rows = torch.cat([torch.arange(c * 500, c * 500 + 6) for c in range(10) if c != lacking])
    few = in_memory("few", digits.read(rows), digits.labels[rows], digits.classes)
    evaluator = Evaluator(few, ("intra-fid",), PLAIN)
    measure = evaluator.measures[0]
    seen = []

    class Recorder:
        name, needs, gives, how = measure.name, measure.needs, measure.gives, measure.how

        def __call__(self, inputs):
            seen.append(inputs.fake.labels)
            return measure(inputs)

    evaluator.measures = (Recorder(),)
    assert evaluator.score(run).protocol["fake.classes"] == "as in real"
    assert seen[0].bincount(minlength=10).tolist() == [0 if c == lacking else 6 for c in range(10)]


@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_the_classifier_of_cas_knows_the_classes_of_both_sets(lacking):
    every, fewer = torch.arange(60) % 3, torch.arange(60) % 3
    fewer = fewer[fewer != lacking]
    whole, part = stripes(every), stripes(fewer, seed=1)
    assert evaluate(whole, part, (CAS(seen=1920),), PLAIN).values["cas"] == pytest.approx(2 / 3, abs=0.05)
    assert evaluate(part, whole, (CAS(seen=1920),), PLAIN).values["cas"] == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_intra_fid_names_the_class_that_a_set_lacks(lacking):
    every, features = torch.arange(30) % 3, torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    other = torch.where(every == lacking, (lacking + 1) % 3, every)
    for real, fake, counts in ((every, other, "10 real and 0 fake"), (other, every, "0 real and 10 fake")):
        with pytest.raises(ValueError, match=f"in both sets; class {lacking} has {counts}"):
            intra_class_frechet(features, real, features, fake)
