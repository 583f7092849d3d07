"""Guidance by levels on the transformers it is made for: whom it leads, by what, and the recipe that plays by it."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from zerosum.conditions.labels import Labels
from zerosum.game import Clock, Draws, Turn, Unrolled
from zerosum.networks import DCGANDiscriminator, Packed, TransformerDiscriminator, TransformerGenerator
from zerosum.objectives import NonSaturating
from zerosum.recipes import gat
from zerosum.terms import R1, R2, LevelGuidance
from zerosum.training.batches import Batches
from zerosum.training.build import build_game


def transformers(condition=None, levels=4, size=4):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = TransformerGenerator(size=size, embedding=3).build(5, (1, 8, 8), condition)
        D = TransformerDiscriminator(size=size, levels=levels).build((1, 8, 8), condition)
    return G, D


def build_turn(player, G, D, c=None):
    random = torch.Generator().manual_seed(4)
    z, x = torch.randn(4, 5, generator=random), torch.randn(4, 1, 8, 8, generator=random)
    x_fake = G(z, c)
    if player == "D":
        x, x_fake = x.requires_grad_(), x_fake.detach().requires_grad_()
    return Turn(player, D, G, x, x_fake, z, c, Clock(), Draws(seed=0, position=0))


def grads(parts, value):
    """The norm of the value's gradient in each of some modules, 0 where there is none."""
    found = []
    for part in parts:
        gradients = torch.autograd.grad(value, [*part.parameters()], retain_graph=True, materialize_grads=True)
        found.append(torch.cat([g.flatten() for g in gradients]).norm().item())
    return found


@pytest.mark.parametrize("condition", [None, Labels(3)], ids=["plain", "labels"])
def test_early_blocks_are_led_by_their_own_images_and_the_last_by_the_games_loss_alone(condition):
    G, D = transformers(condition)
    turn = build_turn("G", G, D, None if condition is None else torch.tensor([0, 2, 1, 0]))
    value = LevelGuidance()(turn)
    assert min(grads(G.blocks[:3], value)) > 0
    assert min(grads(G.shows[:3], value)) > 0
    assert grads([G.blocks[3], G.shows[3]], value) == [0, 0]
    loss = NonSaturating().g_loss(turn.fake.score)
    turn.x_fake = turn.x_fake.detach()
    detached = LevelGuidance()(turn)
    assert grads(G.blocks, detached) == grads(G.blocks, value), "the levels reach G by themselves"
    assert grads([G.blocks[3]], loss)[0] > 0


def test_penalties_on_the_stacks_are_gradients_by_every_level_and_train_d():
    G, D = transformers()
    turn = build_turn("D", G, D)
    bare, held = LevelGuidance()(turn), LevelGuidance(penalties=(R1(), R2()))(turn)
    penalty = held - bare
    assert penalty > 0
    gradients = torch.autograd.grad(penalty, [*D.parameters()], materialize_grads=True, retain_graph=True)
    assert all(g.isfinite().all() for g in gradients)
    assert grads(D.blocks, penalty)[0] > 0
    assert turn.x.grad is None
    outside = R1()(turn) + held
    assert grads([D], outside)[0] > 0, "and beside penalties on the image alone"


def test_in_ds_update_no_gradient_reaches_g():
    G, D = transformers()
    gradients = torch.autograd.grad(LevelGuidance()(build_turn("D", G, D)), [*G.parameters()], allow_unused=True)
    assert set(gradients) == {None}


@pytest.mark.parametrize("player", ["D", "G"])
def test_under_bfloat16_it_is_the_same_number_up_to_its_digits(player):
    G, D = transformers(Labels(3))
    c = torch.tensor([0, 2, 1, 0])
    term = LevelGuidance(penalties=(R1(),))
    wanted = term(build_turn(player, G, D, c)).item()
    with torch.autocast("cpu", torch.bfloat16):
        value = term(build_turn(player, G, D, c))
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(wanted, rel=0.05)
    own = [*(D if player == "D" else G).parameters()]
    assert all(g.isfinite().all() for g in torch.autograd.grad(value, own, materialize_grads=True))


def small(recipe):
    return replace(
        recipe,
        generator=TransformerGenerator(size=4, embedding=3),
        discriminator=TransformerDiscriminator(size=4, levels=4),
        batch=2,
        precision="float32",
    )


def play(recipe):
    dataset = recipe.data.open()
    game = build_game(recipe, dataset, torch.device("cpu"), "float32")
    return game.step(Batches(dataset, 2, recipe.conditional, 0, torch.device("cpu")))


def test_the_recipe_gat_plays_by_it_on_both_sides_and_steps_by_its_width():
    recipe = gat()
    assert any(isinstance(term, LevelGuidance) for term in recipe.d_terms)
    assert any(isinstance(term, LevelGuidance) for term in recipe.g_terms)
    assert recipe.discriminator.levels == 4
    assert recipe.G_opt.lr == recipe.D_opt.lr == pytest.approx(0.0002 * 768 / 64)
    log = play(small(replace(recipe, conditional=True)))
    assert {"D/LevelGuidance", "G/LevelGuidance"} <= log.keys()
    assert all(value.isfinite() for value in log.values())


def test_it_is_scored_by_the_opponent_of_g():
    log = play(small(replace(gat(), opponent=Unrolled(1), d_terms=(LevelGuidance(),))))
    assert all(value.isfinite() for value in log.values())


def test_networks_without_levels_are_refused():
    G, D = transformers()
    with pytest.raises(ValueError, match=r"LevelGuidance needs a G with levels, .* found Linear"):
        LevelGuidance()(replace(build_turn("D", G, D), G=nn.Linear(5, 64)))
    scores_others = [
        transformers(levels=1)[1],
        transformers(levels=3)[1],
        DCGANDiscriminator(size=4).build((1, 8, 8), None),
        Packed(TransformerDiscriminator(size=4, levels=4)).build((1, 8, 8), None),
    ]
    for other in scores_others:
        for player in "DG":
            with pytest.raises(ValueError, match=r"needs a D that scores 4 levels together, .*levels=4\) does"):
                LevelGuidance()(build_turn(player, G, other))
