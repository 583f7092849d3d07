"""LeCam's regulariser: what it remembers, and what it costs."""

import numpy as np
import pytest
import torch

from zerosum.terms import Every, LeCam


def samples(seed, *shape):
    return np.random.default_rng(seed).normal(0, 1, shape)


def D(x):
    return x


def updates(build_turn, shape=(5,)):
    """A few updates of D with scores of their own."""
    return [
        build_turn("D", D, x=samples(i, *shape) + 0.5, x_fake=samples(50 + i, *shape) - 0.5, updates=i)
        for i in range(6)
    ]


def printed(**settings):
    """The term of the paper's equation, without relu."""
    return LeCam(one_sided=False, **settings)


@pytest.mark.parametrize("shape", [(5,), (5, 1, 2, 2)])
@pytest.mark.parametrize("decay", [0.0, 0.7, 0.99])
@pytest.mark.parametrize("one_sided", [False, True])
def test_scores_are_pulled_towards_the_running_mean_of_the_other_set(build_turn, shape, decay, one_sided):
    term, past = LeCam(weight=0.4, decay=decay, one_sided=one_sided), []
    beyond = (lambda distance: np.maximum(distance, 0)) if one_sided else (lambda distance: distance)
    for turn in updates(build_turn, shape):
        real, fake = turn.x.detach().numpy(), turn.x_fake.detach().numpy()
        value = term(turn).item()
        if past:
            weights = decay ** np.arange(len(past))[::-1]
            a_real, a_fake = np.average(np.array(past), axis=0, weights=weights)
            assert (real < a_fake).any() or (fake > a_real).any(), "some are on the free side"
            wanted = 0.4 * ((beyond(real - a_fake) ** 2).mean() + (beyond(a_real - fake) ** 2).mean())
            assert value == pytest.approx(wanted, rel=1e-10)
        else:
            assert value == 0, "in the first update there is no mean yet"
        term.watch("D", turn, {})
        past.append((real.mean(), fake.mean()))


def test_a_d_that_cannot_tell_pays_nothing(build_turn):
    term, still = LeCam(), np.full(4, 3.0)
    for _ in range(3):
        turn = build_turn("D", D, x=still, x_fake=still)
        assert term(turn).item() == pytest.approx(0, abs=1e-20)
        term.watch("D", turn, {})


def test_the_gradient_is_that_of_the_scores_alone(build_turn):
    term, (first, second, *_) = printed(weight=1.0, decay=0.5), updates(build_turn)
    term.watch("D", first, {})
    term(second).backward()
    np.testing.assert_allclose(second.x.grad, 2 / 5 * (second.x - first.x_fake.mean()).detach(), rtol=1e-10)
    np.testing.assert_allclose(second.x_fake.grad, 2 / 5 * (second.x_fake - first.x.mean()).detach(), rtol=1e-10)
    assert not term.sums.requires_grad
    assert first.x.grad is None


def test_of_the_code_scores_on_the_near_side_have_no_gradient(build_turn):
    term = LeCam(weight=1.0, decay=0.5)
    term.watch("D", build_turn("D", D, x=[1.0, 3.0], x_fake=[-1.0, -1.0]), {})  # a_R = 2, a_F = -1
    turn = build_turn("D", D, x=[-1.5, 0.0, 1.0], x_fake=[2.5, 1.0, -1.0], updates=1)
    value = term(turn)
    assert value.item() == pytest.approx((0 + 1 + 4) / 3 + (0 + 1 + 9) / 3, rel=1e-12)
    value.backward()
    assert turn.x.grad.tolist() == pytest.approx([0, 2 / 3, 4 / 3])
    assert turn.x_fake.grad.tolist() == pytest.approx([0, -2 / 3, -2])


@pytest.mark.parametrize("start", [0, 1, 4])
def test_it_starts_after_so_many_updates_and_averages_before(build_turn, start):
    term, always = LeCam(start=start), LeCam()
    values = []
    for turn in updates(build_turn):
        values.append(term(turn).item())
        assert values[-1] == (always(turn).item() if turn.clock.updates >= start else 0)
        for part in (term, always):
            part.watch("D", turn, {})
    assert values[4] > 0


def test_by_default_it_is_the_authors_code():
    assert repr(LeCam()) == "LeCam(weight=0.3, decay=0.9, start=0, one_sided=True)"


def test_updates_of_g_are_not_averaged_and_calling_changes_nothing(build_turn):
    term, (first, second, *_) = LeCam(), updates(build_turn)
    term.watch("G", first, {})
    assert term.sums.tolist() == [0, 0, 0]
    term.watch("D", first, log := {})
    assert log == {}
    assert term(second) == term(second)


def test_the_means_are_those_of_all_ranks(build_turn, monkeypatch):
    monkeypatch.setattr("zerosum.game.turn.average", lambda values: [value + 10 for value in values])
    term, (first, *_) = LeCam(decay=0.0), updates(build_turn)
    term.watch("D", first, {})
    assert term.sums.tolist() == pytest.approx([first.x.mean().item() + 10, first.x_fake.mean().item() + 10, 1])


def test_lazily_it_still_averages_every_update(build_turn):
    lazy, term = Every(3, LeCam(start=2)), LeCam(start=2)
    for turn in updates(build_turn):
        value = lazy(turn)
        assert value == (3 * term(turn) if turn.clock.updates % 3 == 0 else 0)
        for part in (lazy.term, term):
            part.watch("D", turn, {})


def test_the_means_are_saved_and_restored(build_turn):
    term, restored, turns = LeCam(), LeCam(), updates(build_turn)
    for turn in turns[:3]:
        term.watch("D", turn, {})
    state = term.state_dict()
    term.watch("D", turns[3], {})
    restored.load_state_dict(state)
    restored.watch("D", turns[3], {})
    assert torch.equal(restored.sums, term.sums)
    assert term == LeCam()


def test_it_is_refused_on_the_generators_side(build_turn):
    with pytest.raises(ValueError, match="LeCam is a term of D: put it among d_terms, not g_terms"):
        LeCam()(build_turn("G", D, x=[1.0], x_fake=[2.0]))


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_out_of_range_is_refused(decay):
    with pytest.raises(ValueError, match=r"decay is that of a running mean, in \[0, 1\); found"):
        LeCam(decay=decay)


def test_a_weight_below_zero_is_refused():
    with pytest.raises(ValueError, match=r"weight weighs a penalty and is at least 0; found -0.5"):
        LeCam(weight=-0.5)


def test_a_start_below_zero_is_refused():
    with pytest.raises(ValueError, match="start counts updates of D, at least 0; found -1"):
        LeCam(start=-1)
