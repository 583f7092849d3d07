"""The likelihood of real samples as a term of G."""

import pytest
import torch
from torch import nn

from zerosum.terms import MaximumLikelihood


class Normals(nn.Module):
    """Samples with independent normal places of mean m."""

    def __init__(self):
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(0.5))

    def forward(self, z):
        return z + self.mean

    def log_likelihood(self, x):
        return (-((x - self.mean) ** 2) / 2).sum((1, 2, 3))


class Turn:
    def __init__(self, player, G):
        self.player, self.G = player, G
        self.x = torch.randn(6, 2, 1, 4, generator=torch.Generator().manual_seed(0))


def test_it_is_minus_the_mean_log_likelihood_for_each_place():
    turn = Turn("G", Normals())
    expected = ((turn.x - 0.5) ** 2 / 2).sum() / 6 / 4
    term = MaximumLikelihood(3.0)(turn)
    assert term.item() == pytest.approx(3 * float(expected), rel=1e-6)
    (gradient,) = torch.autograd.grad(term, [turn.G.mean])
    assert float(gradient) == pytest.approx(-3 * float((turn.x - 0.5).sum()) / 24, rel=1e-5)


def test_refusals():
    with pytest.raises(ValueError, match="weight weighs a penalty and is at least 0; found -1"):
        MaximumLikelihood(-1.0)
    with pytest.raises(ValueError, match="MaximumLikelihood is a term of G: put it among g_terms, not d_terms"):
        MaximumLikelihood()(Turn("D", Normals()))
    with pytest.raises(ValueError, match="needs a G with a likelihood, as TextGenerator; found Linear"):
        MaximumLikelihood()(Turn("G", nn.Linear(1, 1)))
