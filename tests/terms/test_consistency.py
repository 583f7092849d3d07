"""Consistency under changes of samples and of latents."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.game import Judgement
from zerosum.terms import Consistency, Every, LatentConsistency


@dataclass(frozen=True)
class Jitter:
    """Noise of a given size on every sample."""

    size: float = 1.0

    def __call__(self, x, draws, purpose):
        return x + self.size * draws.normal(purpose, tuple(x.shape)).to(x)


def samples(seed, *shape):
    return np.random.default_rng(seed).normal(0, 1, shape)


WEIGHT = samples(9, 3)


def D(x):
    return torch.tanh(x.flatten(1) @ torch.tensor(WEIGHT))


def scores(x):
    return np.tanh(x @ WEIGHT)


def jittered(turn, x, side, size):
    return x + size * turn.draws.normal(f"consistency, {side}", x.shape).double().numpy()


@pytest.mark.parametrize(("real", "fake"), [(10.0, 0.0), (0.0, 3.0), (10.0, 3.0)])
def test_it_is_the_squared_change_of_the_scores_of_each_side(build_turn, real, fake):
    x, x_fake = samples(0, 6, 3), samples(1, 6, 3)
    turn = build_turn("D", D, x=x, x_fake=x_fake)
    value = Consistency(Jitter(0.5), real, fake)(turn).item()
    changes = [
        weight * ((scores(a) - scores(jittered(turn, a, side, 0.5))) ** 2).mean()
        for weight, a, side in ((real, x, "real"), (fake, x_fake, "fake"))
    ]
    assert value == pytest.approx(sum(changes), rel=1e-10)


def test_real_samples_alone_are_constrained_by_default(build_turn):
    x = samples(0, 6, 3)
    turn = build_turn("D", D, x=x, x_fake=samples(1, 6, 3))
    assert Consistency(Jitter())(turn) == Consistency(Jitter(), real=10.0, fake=0.0)(turn)


def test_a_change_that_d_does_not_see_costs_nothing(build_turn):
    across = np.cross(WEIGHT, [1.0, 0.0, 0.0])
    turn = build_turn("D", D, x=samples(0, 6, 3), x_fake=samples(1, 6, 3))
    term = Consistency(lambda x, draws, purpose: x + 5 * torch.tensor(across), 10.0, 10.0)
    assert term(turn).item() == pytest.approx(0, abs=1e-25)


def test_it_shares_the_forward_pass_of_the_loss_and_scores_no_samples_of_weight_0(build_turn):
    scored = []

    def counting(x):
        scored.append(x)
        return x.sum(1)

    for real, fake, passes in ((1.0, 0.0, 3), (0.0, 1.0, 3), (1.0, 1.0, 4), (0.0, 0.0, 2)):
        turn = build_turn("D", counting, x=samples(0, 2, 3), x_fake=samples(1, 2, 3))
        scored.clear()
        assert turn.real.score.shape == turn.fake.score.shape
        Consistency(Jitter(), real, fake)(turn)
        assert len(scored) == passes


def test_both_scores_learn(build_turn):
    """As in the paper, D(x) is no fixed target: of a linear D the term is a parabola in its weights."""
    layer = nn.Linear(3, 1, bias=False).double()
    x = samples(0, 5, 3)
    turn = build_turn("D", lambda u: layer(u).squeeze(1), x=x, x_fake=x)
    Consistency(Jitter(), real=1.0)(turn).backward()
    change = jittered(turn, x, "real", 1.0) - x
    w = layer.weight.detach().numpy()[0]
    np.testing.assert_allclose(layer.weight.grad.numpy()[0], 2 * (change * (change @ w)[:, None]).mean(0), rtol=1e-10)


def test_of_a_score_map_it_is_the_mean_over_the_map_and_the_condition_goes_along(build_turn):
    x = samples(0, 3, 1, 2, 2)
    turn = build_turn("D", lambda x, c: Judgement(x * c.view(-1, 1, 1, 1)), x=x, x_fake=x, c=[1, 2, 3])
    value = Consistency(lambda x, draws, purpose: x + 1, real=1.0)(turn)
    assert value.item() == pytest.approx((1 + 4 + 9) / 3, rel=1e-12)


def test_it_is_refused_on_the_generators_side(build_turn):
    turn = build_turn("G", D, x=samples(0, 2, 3), x_fake=samples(1, 2, 3))
    with pytest.raises(ValueError, match="Consistency is a term of D: put it among d_terms, not g_terms"):
        Consistency(Jitter())(turn)


def generator():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()


def moved(turn, sigma):
    return turn.z + sigma * turn.draws.normal("latent consistency", tuple(turn.z.shape)).double()


def test_d_becomes_insensitive_and_g_sensitive(build_turn):
    G, z, term = generator(), samples(2, 6, 4), LatentConsistency(0.3, d_weight=5.0, g_weight=0.5)
    for player in "DG":
        turn = build_turn(player, D, G, z=z)
        one, other = (G(latent).detach().numpy() for latent in (turn.z, moved(turn, 0.3)))
        wanted = {"D": 5 * ((scores(one) - scores(other)) ** 2).mean(), "G": -0.5 * ((one - other) ** 2).mean()}
        assert term(turn).item() == pytest.approx(wanted[player], rel=1e-10)
    assert wanted["G"] < 0 < wanted["D"]


def test_each_players_part_reaches_its_own_weights(build_turn):
    G, layer = generator(), nn.Linear(3, 1).double()
    term = LatentConsistency()
    held = term(build_turn("D", lambda x: layer(x).squeeze(1), G, z=samples(2, 6, 4)))
    held.backward()
    assert layer.weight.grad.any()
    assert all(p.grad is None for p in G.parameters())
    turn = build_turn("G", lambda x: layer(x).squeeze(1), G, z=samples(2, 6, 4))
    layer.weight.grad = None
    led = term(turn)
    led.backward()
    assert layer.weight.grad is None
    gradients = [p.grad.clone() for p in G.parameters()]
    G.zero_grad()
    (-0.5 * (G(turn.z) - G(moved(turn, 0.03))).square().mean()).backward()
    assert all(torch.allclose(a, p.grad) for a, p in zip(gradients, G.parameters(), strict=True)), "of both samples"


def test_latents_move_under_the_condition_and_by_other_steps_in_every_update(build_turn):
    seen = []

    def G(z, c):
        seen.append((z, c))
        return z * c[:, None]

    z = samples(2, 3, 4)
    for position in (0, 3, 0):
        LatentConsistency()(build_turn("G", None, G, z=z, c=[1, 2, 3], position=position))
    steps = [(latent - torch.tensor(z)).numpy() for latent, _ in seen[1::2]]
    assert not np.allclose(steps[0], steps[1])
    assert np.array_equal(steps[0], steps[2])
    assert np.abs(steps[0]).max() < 0.03 * 4
    assert all(c.tolist() == [1, 2, 3] for _, c in seen)


def test_wrappers_scale_it(build_turn):
    turn = build_turn("D", D, x=samples(0, 2, 3), x_fake=samples(1, 2, 3), updates=4)
    assert Every(4, Consistency(Jitter()))(turn) == 4 * Consistency(Jitter())(turn)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Consistency(Jitter(), real=-1.0), "real weighs a penalty and is at least 0; found -1.0"),
        (lambda: Consistency(Jitter(), fake=-1.0), "fake weighs a penalty and is at least 0; found -1.0"),
        (lambda: LatentConsistency(d_weight=-1.0), "d_weight weighs a penalty and is at least 0; found -1.0"),
        (lambda: LatentConsistency(g_weight=-1.0), "g_weight weighs a penalty and is at least 0; found -1.0"),
        (lambda: LatentConsistency(sigma=0.0), "sigma is the standard deviation of a latent's change, above 0"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
