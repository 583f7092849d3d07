"""A game of four networks and a watcher with memory, as a user would write them; `test_other_games.py` plays it.

    python coupled_game.py RUN [IMAGES]

trains it, and so does torchrun with several processes.

Coupled generators: Liu and Tuzel 2016 (arXiv 1606.07536). From the same z, one generator makes points of a ring and the
other the same points turned by a quarter, each against a discriminator of its own; a penalty ties one to the other.
"""

import sys
from dataclasses import dataclass, field
from typing import ClassVar

import torch

from zerosum.data.toys.gaussians import Ring
from zerosum.game.distributed import average, rank, ranks
from zerosum.game.ema import ExponentialMovingAverage
from zerosum.game.finite import check_finite
from zerosum.game.latents import Normal
from zerosum.game.player import Player
from zerosum.game.random import Draws, derived_seed
from zerosum.game.state import counts_of, load_count, load_state, state_of
from zerosum.game.turn import Clock, Turn
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.networks.placement import place
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.optimisers import Adam
from zerosum.recipes.recipe import Recipe
from zerosum.training.options import RunOptions
from zerosum.training.train import train

QUARTER = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
NAMES = {"generator": "A", "turned": "B"}  # of its generators, by the domain that they make


class CoupledGame:
    """Four networks, two generators to sample from."""

    def __init__(self, recipe, dataset, device, precision, watchers, weight):
        self.recipe, self.precision, self.watchers, self.weight = recipe, precision, watchers, weight
        self.images = self.steps = 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(recipe.seed, "initialisation"))
            built = {f"G_{domain}": recipe.generator.build(recipe.latent.size, dataset.shape, None) for domain in "AB"}
            built |= {f"D_{domain}": recipe.discriminator.build(dataset.shape, None) for domain in "AB"}
        self.players = {}
        for name, network in built.items():
            place(network, device, dataset.is_image)
            spec = recipe.G_opt if name[0] == "G" else recipe.D_opt
            self.players[name] = Player(name, network, spec.build([*network.parameters()]), rate=spec.schedule)
        self.averages = {name: ExponentialMovingAverage(built[f"G_{at}"], recipe.ema) for name, at in NAMES.items()}

    @property
    def networks(self):
        return {name: player.network for name, player in self.players.items()}

    @property
    def generators(self):
        return {name: average.module for name, average in self.averages.items()}

    def step(self, batches):
        batch = next(batches)
        draws = Draws(self.recipe.seed, batch.position, rank(), ranks(), batch.x.device)
        z = draws.mine(self.recipe.latent.draw(len(batch.x) * ranks(), draws.stream("latent")))
        real = {"A": batch.x, "B": batch.x @ QUARTER}
        log = {}
        for name in ("D_A", "D_B", "G_A", "G_B"):
            log |= self.update(self.players[name], real[name[-1]], z, draws)
        seen = len(batch.x) * ranks()
        self.images += seen
        self.steps += 1
        for trailing in self.averages.values():
            trailing.update(seen, self.images)
        return log

    def update(self, player, x, z, draws):
        side, domain = player.name.split("_")
        D, G = (self.networks[f"{one}_{domain}"] for one in "DG")
        with torch.set_grad_enabled(side == "G"), self.precision():
            x_fake = G(z)
        clock = Clock(player.updates, self.images, self.images / self.recipe.images)
        turn = Turn(player.name, D, G, x, x_fake, z, None, clock, draws)
        with self.precision():
            if side == "D":
                parts = [self.recipe.objective.d_loss(turn.real.score, turn.fake.score)]
            else:
                other = self.networks["G_B" if domain == "A" else "G_A"](z).detach()
                tie = (x_fake @ QUARTER - other if domain == "A" else x_fake - other @ QUARTER).square().mean()
                parts = [self.recipe.objective.g_loss(turn.fake.score), self.weight * tie]
            gradients = torch.autograd.grad(torch.stack(parts).sum(), player.parameters)
        *gradients, values = average([*gradients, torch.stack(parts).detach()])
        names = ["loss", "tie"][: len(parts)]
        log = {f"{player.name}/{name}": value for name, value in zip(names, values.unbind(), strict=True)}
        check_finite(log)
        player.step(gradients, clock.progress)
        for watcher in self.watchers:
            watcher.watch(player.name, turn, log)
        return log

    def check_finite(self):
        pass

    def slow_down(self, factor):
        for player in self.players.values():
            player.base_rates = [rate * factor for rate in player.base_rates]

    def _parts(self):
        optimisers = {f"{name}_opt": player.optimiser for name, player in self.players.items()}
        return {**self.networks, **self.generators, **optimisers}

    def state_dict(self):
        updates = {name: player.updates for name, player in self.players.items()}
        counts = {"images": self.images, "steps": self.steps, **updates}
        return state_of(self._parts()) | {"counts": counts_of(counts)}

    def load_state_dict(self, state):
        load_state(self._parts(), state)
        counts = state.get("counts", {})
        self.images, self.steps = load_count(counts, "images"), load_count(counts, "steps")
        for name, player in self.players.items():
            player.updates = load_count(counts, name)

    def load_weights(self, state, images):
        load_state({**self.networks, **self.generators}, state)


@dataclass(frozen=True)
class Coupled:
    """Two generators and two discriminators; `weight` of the penalty that ties the generators."""

    weight: float = 0.1
    reads: ClassVar[tuple[str, ...]] = ("G_opt", "D_opt", "ema")

    def build(self, recipe, dataset, device, precision, watchers):
        return CoupledGame(recipe, dataset, device, precision, watchers, self.weight)

    def generator(self, name, recipe, shape, condition):
        if name not in NAMES:
            raise ValueError(f"Coupled has the generators {' and '.join(NAMES)}; found {name!r}")
        return recipe.generator.build(recipe.latent.size, shape, condition)


@dataclass(frozen=True)
class Scores:
    """A watcher with memory: the running mean of the scores of generated samples, for each network."""

    decay: float = 0.9
    means: dict[str, torch.Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    def watch(self, player, turn, log):
        now = turn.average(turn.fake.score.detach().mean())
        self.means[player] = torch.lerp(now, self.means.get(player, now), self.decay)
        log[f"{player}/mean score"] = self.means[player]

    def state_dict(self):
        return {name: value.clone() for name, value in self.means.items()}

    def load_state_dict(self, state):
        self.means.clear()
        self.means.update(state)


class Updates:
    """A watcher that is no dataclass: it counts the updates of each network."""

    def __init__(self):
        self.counts = {}

    def watch(self, player, turn, log):
        self.counts[player] = self.counts.get(player, 0) + 1

    def state_dict(self):
        return {name: torch.tensor(count) for name, count in self.counts.items()}

    def load_state_dict(self, state):
        self.counts = {name: int(count) for name, count in state.items()}


RECIPE = Recipe(
    name="coupled",
    data=Ring(count=100),
    generator=MLPGenerator(hidden=(16,), norm="batch"),
    discriminator=MLPDiscriminator(hidden=(16,)),
    objective=NonSaturating(),
    game=Coupled(),
    watchers=(Scores(),),
    latent=Normal(4),
    G_opt=Adam(lr=1e-2, eps=0.1),
    D_opt=Adam(lr=1e-2, eps=0.1),
    batch=24,
    images=960,
    ema=200.0,
    tick=120,
    snapshot=240,
)
KNOWN = {"Coupled": Coupled, "Scores": Scores}


if __name__ == "__main__":
    torch.set_num_threads(1)
    images = int(sys.argv[2]) if len(sys.argv) > 2 else None
    train(RECIPE, sys.argv[1], images=images, device="cpu", quiet=True, options=RunOptions(watchers=(Updates(),)))
