"""Plots of tiny games."""

import numpy as np

from zerosum.diagnostics import bilinear_game, dirac_gan, portrait
from zerosum.objectives import NonSaturating
from zerosum.terms import R1


def test_a_portrait_shows_where_the_game_leads():
    whole, near = ({"steps": 30, "side": 240, "rate": rate} for rate in (0.3, 0.0))
    still = np.asarray(portrait(bilinear_game(), **near)).astype(int)
    moved = np.asarray(portrait(bilinear_game(), **whole)).astype(int)
    calm = np.asarray(portrait(dirac_gan(NonSaturating(), R1(2.0)), **whole)).astype(int)

    def orange(x):
        return int(((x[..., 0] - x[..., 2] > 60) & (x[..., 0] > 150)).sum())

    assert orange(still) < orange(calm) < orange(moved), "a circle is longer than the way to its centre"
