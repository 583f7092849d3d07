"""Instance noise, schedules, and augmentations in a row."""

import pytest
import torch

from zerosum.augment import AdaptiveAugment, AdaptivePseudo, Chain, DiffAugment, Flip, InstanceNoise, Line
from zerosum.game import Clock, Draws, Turn
from zerosum.game.game import Watcher


@pytest.mark.parametrize("shape", [(2,), (3, 4, 4)], ids=str)
def test_instance_noise_is_normal_on_every_number_and_falls_to_nothing(shape, turn):
    x = torch.full((4000, *shape), 5.0)
    augment = InstanceNoise(0.4)
    for progress, spread in ((0.0, 0.4), (0.25, 0.3), (0.75, 0.1)):
        noise = augment(x, "real", turn(x, progress=progress)) - x
        assert noise.std().item() == pytest.approx(spread, rel=0.05)
        assert noise.mean().item() == pytest.approx(0, abs=0.02)
        assert len(noise.unique()) > 0.8 * noise.numel()
    assert augment(x, "real", turn(x, progress=1.0)) is x


def test_instance_noise_follows_its_schedule_and_keeps_gradients(turn):
    x = torch.ones(3, 2, requires_grad=True)
    steady = InstanceNoise(0.5, Line(1.0, 1.0))
    early, late = (steady(x, "real", turn(x, progress=t)) for t in (0.0, 1.0))
    assert torch.equal(early, late)
    (gradient,) = torch.autograd.grad(late.square().sum(), x)
    assert torch.allclose(gradient, 2 * late)


def test_instance_noise_differs_by_role_and_move(turn):
    x = torch.zeros(4, 2)
    augment = InstanceNoise()
    turns = (("real", 0), ("fake", 0), ("real", 4))
    seen = [augment(x, role, turn(x, position=position)) for role, position in turns]
    assert not any(torch.equal(a, b) for i, a in enumerate(seen) for b in seen[:i])


def test_a_line_is_straight_and_holds_beyond_the_ends():
    assert [Line(2.0, 0.5)(t) for t in (-1.0, 0.0, 0.5, 1.0, 2.0)] == [2.0, 2.0, 1.25, 0.5, 0.5]
    assert [Line()(t) for t in (0.0, 0.25, 1.0)] == [1.0, 0.75, 0.0]


@pytest.mark.parametrize("value", [-0.5, float("nan")])
def test_strengths_below_zero_are_refused(value):
    for make in (lambda v: Line(start=v), lambda v: Line(end=v), InstanceNoise):
        with pytest.raises(ValueError, match=r"(start|end|sigma) is a strength of at least 0; found"):
            make(value)


def test_a_chain_does_one_after_another(images, turn):
    x, x_fake = images(6, 1, 4, 4), images(6, 1, 4, 4, seed=1)
    pseudo = AdaptivePseudo()
    pseudo.adaptation.p.fill_(1.0)
    chain = Chain((pseudo, DiffAugment((Flip(1.0),))))
    assert torch.equal(chain(x, "real", turn(x, x_fake)), x_fake.flip(3))
    assert torch.equal(chain(x_fake, "fake", turn(x, x_fake)), x_fake.flip(3))
    assert Chain(())(x, "real", turn(x)) is x


def test_equal_parts_of_a_chain_draw_apart(turn):
    x = torch.zeros(4000, 2)
    noise = InstanceNoise(0.3)
    twice = Chain((noise, noise))(x, "real", turn(x))
    assert twice.std().item() == pytest.approx(0.3 * 2**0.5, rel=0.05)
    nested = Chain((Chain((noise, noise)), Chain((noise, noise))))(x, "real", turn(x))
    assert nested.std().item() == pytest.approx(0.6, rel=0.05)
    assert not torch.equal(twice, Chain((noise, noise))(x, "fake", turn(x)))
    assert torch.equal(twice, Chain((noise, noise))(x, "real", turn(x)))


def test_a_chain_shares_out_over_ranks():
    x, chain = torch.zeros(6, 2), Chain((InstanceNoise(), InstanceNoise()))

    def seen(x, rank, ranks):
        return chain(x, "real", Turn("D", None, None, x, x, None, None, Clock(), Draws(0, 0, rank, ranks)))

    assert torch.equal(torch.cat([seen(x[:3], r, 2) for r in range(2)]), seen(x, 0, 1))


def played(augment, updates):
    for _ in range(updates):
        x = torch.full((10, 2), 0.5)
        turn = Turn("D", lambda x: x.sum(1), None, x, x, None, None, Clock(), Draws(0, 0))
        augment.watch("D", turn, log := {})
    return log


def test_a_chain_passes_updates_to_its_parts_and_keeps_their_state():
    def make():
        ada, apa = AdaptiveAugment(every=1, images=100), AdaptivePseudo(every=2, images=100)
        return Chain((InstanceNoise(), ada, Chain((apa, DiffAugment()))))

    chain, other = make(), make()
    assert isinstance(chain, Watcher)
    log = played(chain, 3)
    assert {name: value.item() for name, value in log.items()} == pytest.approx(
        {"ADA/p": 0.3, "ADA/r": 1.0, "APA/p": 0.2, "APA/r": 1.0}
    )
    state = chain.state_dict()
    assert {"1.p", "2.0.p", "2.0.moves"} <= set(state)
    other.load_state_dict(state)
    assert played(other, 1) == played(chain, 1)
    assert other == make()


def test_a_chain_of_parts_without_memory_has_none(turn):
    chain = Chain((InstanceNoise(), DiffAugment()))
    assert chain.state_dict() == {}
    chain.load_state_dict({})
    chain.watch("D", turn(torch.zeros(4, 2)), log := {})
    assert log == {}


def test_noise_makes_two_distributions_overlap(turn):
    """Two points a distance 1 apart: the best D classifies them by the overlap of their noises, which is normal."""
    x = torch.zeros(20_000, 1)
    augment = InstanceNoise(0.5, Line(1.0, 1.0))
    real, fake = augment(x, "real", turn(x)), augment(x + 1, "fake", turn(x))
    right = ((real < 0.5).double().mean() + (fake > 0.5).double().mean()) / 2
    assert right.item() == pytest.approx(0.8413, abs=0.01)  # the normal distribution at 1
