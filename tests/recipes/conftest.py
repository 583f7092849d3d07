"""Games at tiny size whose parts are looked at one by one."""

import copy
import itertools

import pytest
import torch

from zerosum.game.ema import ExponentialMovingAverage
from zerosum.game.game import Game
from zerosum.game.player import Player
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe

ROUNDS = 2


class Observed(Game):
    """A game in which each part of a loss, or the objective's alone, is looked at by itself on each move.

    `reached` holds, for each part, the parameters that a gradient of it has reached in some move.
    """

    def observe(self, every):
        self.every, self.reached = every, {}
        self.names = {p.name: [name for name, _ in p.network.named_parameters()] for p in (self.D, self.G)}
        return self

    def parts(self, player, turn):
        parts = super().parts(player, turn)
        for name in [*parts] if self.every else [f"{player.name}/loss"]:
            assert parts[name].isfinite(), name
            self.reached.setdefault(name, set())
            if player.terms and parts[name].requires_grad:
                options = {"retain_graph": True, "materialize_grads": True}
                self.note(player, name, torch.autograd.grad(parts[name], player.parameters, **options))
        return parts

    def settle(self, player, turn):
        log = super().settle(player, turn)
        if not player.terms:  # then the gradient of the whole is the objective's
            self.note(player, f"{player.name}/loss", [p.grad for p in player.parameters])
        return log

    def note(self, player, name, gradients):
        largest = torch.stack(torch._foreach_norm(gradients, torch.inf))
        assert largest.isfinite().all(), f"the gradient of {name}"
        # D may rest, with all beyond a hinge's margin, and G may not.
        assert largest.any() or name != "G/loss", "G learns nothing"
        sizes = zip(self.names[player.name], largest.tolist(), strict=True)
        self.reached[name] |= {key for key, size in sizes if size}


class Session:
    """Games at a table, all with the same two networks, which begin each of them as they were.

    A term of a side is a pair; `willing` are those that play along, and `refusals` what is said against the others.
    """

    def __init__(self, table, latent, terms):
        self.table, self.latent, self.batch = table, latent, next(table.batches())
        layout = torch.channels_last if len(table.shape) == 3 else torch.preserve_format
        self.D, self.G = (network.to(memory_format=layout) for network in table.networks())
        self.learns, self.ema = bool([*self.D.parameters()]), ExponentialMovingAverage(self.G, 0.0)
        self.turns = self.lay()
        asked = {pair: self.refusal(*pair) for pair in itertools.product("DG", terms)}
        self.refusals = {pair: sentence for pair, sentence in asked.items() if sentence}
        self.willing = [pair for pair, sentence in asked.items() if not sentence]
        self.tensors = [tensor for m in (self.D, self.G) for tensor in (*m.parameters(), *m.buffers())]
        self.start = [tensor.detach().clone() for tensor in self.tensors]

    def game(self, objective, terms=(), every=False):
        """A game at its start."""
        objective, terms = copy.deepcopy((objective, terms))
        players = {}
        for side, network in (("D", self.D), ("G", self.G)):
            own = [*network.parameters()]
            # Scores of summed features are large: a longer step leaves a D whose every ReLU is dead.
            optimiser = torch.optim.SGD(own, 1e-5, foreach=True) if own else None
            players[side] = Player(side, network, optimiser, tuple(term for place, term in terms if place == side))
        rest = {"latent": self.latent, "ema": self.ema, "n_critic": int(self.learns)}
        return Observed(**players, objective=objective, images_total=ROUNDS * len(self.batch.x), **rest).observe(every)

    def lay(self):
        """A first move of each side, for asking terms whether they play along."""
        game, batch = self.game(NonSaturating()), self.batch
        z, fake = game.generate(batch)
        x, x_fake = batch.x.clone().requires_grad_(), fake.detach().requires_grad_()
        return {"D": game.turn(game.D, batch, x, x_fake, z), "G": game.turn(game.G, batch, batch.x, fake, z)}

    def refusal(self, side, term):
        """What is said against a term among a side's; nothing where it plays along."""
        try:
            if side == "D" and not self.learns:
                specs = {"generator": self.table.G, "discriminator": self.table.D, "objective": NonSaturating()}
                Recipe(name="still", n_critic=0, d_terms=(term,), **specs)
            else:
                copy.deepcopy(term)(self.turns[side])
        except ValueError as error:
            return str(error)
        return ""

    def play(self, objective, terms, every):
        """Two rounds with finite losses; the game, whose parts have been looked at."""
        with torch.no_grad():
            for tensor, start in zip(self.tensors, self.start, strict=True):
                tensor.copy_(start)
        game, batches = self.game(objective, terms, every), self.table.batches()
        for _ in range(ROUNDS):
            log = game.step(batches)
            assert all(value.isfinite() for value in log.values())
        return game


@pytest.fixture
def sit_down():
    """Opens the session at a table, from the latent and the terms to be asked; networks begin alike in every test."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield Session


@pytest.fixture
def is_free():
    """Whether a constant added to all of D's scores changes nothing in an objective's loss of D.

    So it is for games of score differences, and for hinges while every score lies within the margin. There the last
    bias of D stays where it is, and rightly.
    """

    def ask(objective):
        shift = torch.zeros((), requires_grad=True)
        real, fake = torch.linspace(-0.4, 0.3, 8), torch.linspace(-0.2, 0.5, 8)
        loss = objective.d_loss(real + shift, fake + shift)
        return abs(torch.autograd.grad(loss, shift)[0].item()) < 1e-6

    return ask
