"""The Vendi score against the paper's formula, computed apart in numpy, and against what is known of it."""

import math

import numpy as np
import pytest
import torch

from zerosum.evaluation.evaluate import evaluate
from zerosum.evaluation.measure import measure_kinds
from zerosum.metrics.jackknife import jackknife, leave_one_out
from zerosum.metrics.vendi import vendi_score


def formula(x, order=1.0):
    """exp of the Renyi entropy of the eigenvalues of K / N, K the matrix of cosine similarities of all pairs."""
    x = np.asarray(x, dtype=np.float64)
    similarity = np.array([[a @ b / math.sqrt((a @ a) * (b @ b)) for b in x] for a in x])
    values = np.linalg.eigvalsh(similarity / len(x))
    values = values[values > 1e-12]
    if order == 1:
        return math.exp(-(values * np.log(values)).sum())
    if order == math.inf:
        return 1 / values.max()
    return (values**order).sum() ** (1 / (1 - order))


@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (12, 12), (1, 3)])
@pytest.mark.parametrize("order", [0.0, 0.5, 1.0, 2.0, math.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_the_formula_of_the_paper(shape, order, dtype):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(dtype) + 0.3
    assert vendi_score(x, order) == pytest.approx(formula(x, order), rel=1e-9)


def test_it_counts_kinds_of_samples():
    kinds = torch.eye(6, dtype=torch.float64)[:4]
    assert vendi_score(kinds) == pytest.approx(4)
    assert vendi_score(kinds.repeat(5, 1)) == pytest.approx(4), "copies are no other kinds"
    assert vendi_score(kinds[:1].expand(9, -1)) == pytest.approx(1)
    assert vendi_score(3 * kinds) == pytest.approx(4), "length does not matter"
    black = torch.zeros(3, 6, dtype=torch.float64)
    assert vendi_score(black) == pytest.approx(1), "what has no direction is alike"
    assert vendi_score(torch.cat([kinds.repeat(3, 1), black])) == pytest.approx(5), "and unlike all others"
    uneven = torch.cat([kinds, kinds[:1].expand(16, -1)])
    assert vendi_score(uneven, 0.0) == pytest.approx(4) and vendi_score(uneven, math.inf) == pytest.approx(20 / 17)
    assert vendi_score(uneven, 0.5) > vendi_score(uneven) > vendi_score(uneven, 2.0) > vendi_score(uneven, math.inf)


def test_many_rows_are_read_in_chunks(monkeypatch):
    x = torch.randn(50, 60, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = vendi_score(x), vendi_score(x.T)
    monkeypatch.setattr("zerosum.metrics._features.AT_ONCE", 600)
    assert (vendi_score(x), vendi_score(x.T)) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize(
    ("features", "order", "sentence"),
    [
        (torch.ones(3, 2), -1.0, "order must be 0 or more; found -1"),
        (torch.ones(3, 2), math.nan, "order must be 0 or more; found nan"),
        (torch.tensor([[1.0], [math.nan]]), 1.0, "scored features must be finite; sample 1 is not"),
    ],
)
def test_what_has_no_vendi_score_is_refused(features, order, sentence):
    with pytest.raises(ValueError, match=sentence):
        vendi_score(features, order)


def test_it_is_a_metric_with_an_error_and_a_protocol():
    real, fake = "Ring(count=300)", "Ring(count=200, seed=1)"
    found = evaluate(real, fake, ("vendi", "kid"))
    kept = Kept()
    evaluate(real, fake, (kept,))
    points = kept.fake
    assert found.values["vendi"] == pytest.approx(vendi_score(points)) and found.better["vendi"] == "higher"
    assert found.errors["vendi"] == pytest.approx(jackknife([vendi_score(some) for some in leave_one_out(points)]))
    assert found.protocol["metric.vendi"].startswith("cosine similarity, order 1; error by leaving out")
    assert evaluate(real, fake, (measure_kinds()["vendi"](order=2.0),)).values["vendi"] < found.values["vendi"]


class Kept:
    """A metric that keeps the generated features."""

    kind = measure_kinds()["vendi"]
    name, needs, gives, how = kind.name, kind.needs, kind.gives, ""

    def __call__(self, inputs):
        self.fake = inputs.fake.features
        return Kept.kind()(inputs)
