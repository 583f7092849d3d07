"""When terms act, and how strongly."""

import math
from itertools import pairwise

import pytest
import torch

from zerosum.game import Clock, Draws, Turn
from zerosum.terms import Constant, Cosine, Every, Geometric, Ramp, Scheduled


class Counting:
    """A term that counts its calls and is worth 5."""

    calls = 0

    def __call__(self, turn):
        self.calls += 1
        return torch.tensor(5.0)


def turn_after(updates, progress=0.0):
    x = torch.zeros(2, 2)
    clock = Clock(updates=updates, progress=progress)
    return Turn("D", None, None, x, x, None, None, clock, Draws(seed=0, position=0))


def test_every_third_update_acts_three_times_as_strongly_and_the_mean_stays():
    term = Counting()
    values = [Every(3, term)(turn_after(updates)).item() for updates in range(9)]
    assert values == [15, 0, 0, 15, 0, 0, 15, 0, 0]
    assert sum(values) / 9 == 5
    assert term.calls == 3


def test_a_term_is_not_computed_while_its_factor_is_zero():
    term = Counting()
    values = [Scheduled(Ramp(0.5, 0.75), term)(turn_after(0, progress)).item() for progress in (0, 0.5, 0.625, 1)]
    assert values == [0, 0, 2.5, 5] and term.calls == 2


def test_every_update_is_the_term_itself():
    assert [Every(1, Counting())(turn_after(updates)).item() for updates in range(3)] == [5, 5, 5]


@pytest.mark.parametrize("n", [0, -2])
def test_a_pace_below_one_update_is_refused(n):
    with pytest.raises(ValueError, match=rf"Every\(n, term\) counts updates: n is at least 1; found {n}"):
        Every(n, Counting())


@pytest.mark.parametrize("progress", [0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
def test_cosine_falls_along_half_a_wave(progress):
    assert Cosine()(progress) == pytest.approx((1 + math.cos(math.pi * progress)) / 2)
    late = Cosine(end=0.2, begin=0.5)(progress)
    wave = (1 + math.cos(math.pi * (progress - 0.5) / 0.5)) / 2
    assert late == pytest.approx(1 if progress <= 0.5 else 0.2 + 0.8 * wave)


def test_a_ramp_rises_linearly_between_its_two_ends():
    assert [Ramp()(progress) for progress in (0.0, 0.25, 1.0)] == [0, 0.25, 1]
    warm = Ramp(start=0.2, stop=0.6)
    found = [warm(progress) for progress in (-0.5, 0.0, 0.2, 0.3, 0.5, 0.6, 0.9, 1.5)]
    assert found == pytest.approx([0, 0, 0, 0.25, 0.75, 1, 1, 1])


def test_a_term_that_is_faded_in_counts_from_its_start_on():
    term = Scheduled(Ramp(start=0.5), Counting())
    assert [term(turn_after(0, progress)).item() for progress in (0.0, 0.5, 0.75, 1.0)] == [0, 0, 2.5, 5]


@pytest.mark.parametrize("ends", [(-0.1, 1.0), (0.5, 0.5), (0.6, 0.5), (0.0, 1.1)])
def test_ramps_that_do_not_rise_within_a_run_are_refused(ends):
    with pytest.raises(ValueError, match=f"Ramp needs 0 <= start < stop <= 1; found {ends[0]} and {ends[1]}"):
        Ramp(*ends)


@pytest.mark.parametrize("end", [0.01, 1.0, 4.0])
def test_geometric_changes_by_equal_ratios(end):
    factors = [Geometric(end)(progress) for progress in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert factors[0] == 1
    assert factors[-1] == pytest.approx(end)
    assert [b / a for a, b in pairwise(factors)] == pytest.approx([end**0.25] * 4)


def test_a_scheduled_term_acts_by_the_factor_of_the_moment():
    term = Scheduled(Geometric(0.01), Counting())
    assert [term(turn_after(0, progress)).item() for progress in (0.0, 0.5, 1.0)] == pytest.approx([5, 0.5, 0.05])
    both = Every(2, Scheduled(Geometric(0.01), Counting()))
    assert [both(turn_after(updates, 0.5)).item() for updates in range(2)] == pytest.approx([1, 0])


def test_a_schedule_keeps_the_gradient_of_its_term():
    weight = torch.ones((), requires_grad=True)
    Scheduled(Geometric(0.01), lambda turn: 3 * weight)(turn_after(0, 0.5)).backward()
    assert weight.grad.item() == pytest.approx(0.3)


def test_factors_hold_beyond_the_ends_of_a_run():
    assert Cosine(end=0.3)(-0.5) == 1
    assert Cosine(end=0.3)(1.5) == pytest.approx(0.3)
    assert [Geometric(0.3)(progress) for progress in (-0.5, 1.5)] == pytest.approx([1, 0.3])
    assert [Constant()(progress) for progress in (0.0, 0.5, 1.0)] == [1, 1, 1]


@pytest.mark.parametrize("settings", [{"end": -0.1}, {"start": -1.0}, {"end": math.nan}])
def test_factors_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="Cosine needs start >= 0 and end >= 0; found"):
        Cosine(**settings)


@pytest.mark.parametrize("settings", [{"begin": 1.0}, {"begin": -0.1}, {"begin": 0.5, "until": 0.5}, {"until": 1.1}])
def test_a_cosine_that_does_not_change_within_a_run_is_refused(settings):
    with pytest.raises(ValueError, match="Cosine needs 0 <= begin < until <= 1; found"):
        Cosine(**settings)


def test_a_cosine_may_rise_and_end_before_the_run():
    """R3GAN's course of the augmentation: from 0 to its end at a part of the run, and constant from there on."""
    rising = Cosine(start=0.0, end=0.55, until=0.4)
    for progress in (0.0, 0.1, 0.2, 0.3, 0.4, 0.7, 1.0):
        share = min(progress / 0.4, 1)
        assert rising(progress) == pytest.approx(0.55 + (0 - 0.55) * (1 + math.cos(share * math.pi)) / 2)
    assert (rising(0.0), rising(0.2), rising(0.9)) == pytest.approx((0, 0.275, 0.55))


@pytest.mark.parametrize("end", [0.0, -1.0, float("nan")])
def test_a_ratio_to_nothing_is_refused(end):
    with pytest.raises(ValueError, match=f"Geometric needs end > 0; found {end}"):
        Geometric(end)
