"""Micro-batches save memory only if the graph of each is gone when the next but one is built."""

import weakref

import torch

from zerosum.data.dataset import in_memory
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe
from zerosum.training.batches import Batches
from zerosum.training.build import build_game

DEVICE = torch.device("cpu")


def test_the_graph_of_a_micro_batch_is_freed_and_watchers_get_none(monkeypatch):
    data = in_memory("points", torch.randn(64, 2, generator=torch.Generator().manual_seed(0)))
    networks = {"generator": MLPGenerator(hidden=(8,)), "discriminator": MLPDiscriminator(hidden=(8,))}
    recipe = Recipe(name="graphs", **networks, objective=NonSaturating(), latent=Normal(2), batch=16, micro_batch=4)
    game = build_game(recipe, data, DEVICE, "float32")
    watched, built, alive, build = [], [], [], game.turn_G

    class Watching:
        def watch(self, player, turn, log):
            watched.append((turn.x, turn.x_fake, turn.fake.score))

    def counted(batch):
        alive.append(sum(sample() is not None for sample in built))
        turn = build(batch)
        built.append(weakref.ref(turn.x_fake))  # whose graph is G's
        return turn

    game.watchers += (Watching(),)
    monkeypatch.setattr(game, "turn_G", counted)
    game.step(Batches(data, 16, False, 0, DEVICE))
    assert len(alive) == 4 and max(alive) == 1, "that of the micro-batch before, whose buffers are freed"
    assert len(watched) == 2
    assert all(tensor.grad_fn is None for tensors in watched for tensor in tensors)
