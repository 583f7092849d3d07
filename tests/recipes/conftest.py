"""Games at tiny size, with the gradient of each part of a loss checked separately."""

import copy
import itertools

import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook
from torch.nn.utils import get_total_norm

from zerosum.game.ema import ExponentialMovingAverage
from zerosum.game.game import Game
from zerosum.game.player import Player, unwrapped
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe

STEPS, STEP_SIZE = 2, 1e-3


class Steady(torch.optim.SGD):
    """SGD with normalised gradients, so that networks and losses of any scale change by the same amount."""

    def step(self):
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        torch._foreach_div_(gradients, get_total_norm(gradients).clamp_min(1e-30))
        super().step()


def is_made_from(value, *tensors):
    """Return whether one of the tensors is in the autograd graph of a value."""
    ends = {torch.autograd.graph.get_gradient_edge(tensor).node for tensor in tensors if tensor.requires_grad}
    seen, left = set(), [value.grad_fn]
    while left:
        node = left.pop()
        if node in ends:
            return True
        if node is not None and node not in seen:
            seen.add(node)
            left += [before for before, _ in node.next_functions]
    return False


def counted(function, *arguments):
    """Return a function's value, and the number of modules that it called."""
    calls = []
    hook = register_module_forward_hook(lambda module, *_: calls.append(module))
    try:
        return function(*arguments), len(calls)
    finally:
        hook.remove()


class Observed(Game):
    """A game that checks the gradient of each part of a loss, or of the objective only.

    The objective's is taken on each update, a term's until one has reached a parameter; the game itself checks that the
    gradient of the whole is finite on each update.

    `reached` holds, for each part, the parameters with a non-zero gradient in some update, `apart` names the parts that
    do not depend on samples, such as weight decay, and `last` is the last turn of D.
    """

    def observe(self, every, apart):
        self.every, self.reached, self.apart, self.last = every, {}, apart, None
        self.names = {p.name: [name for name, _ in p.network.named_parameters()] for p in (self.D, self.G)}
        return self

    def parts(self, player, turn):
        parts = super().parts(player, turn)
        self.last = turn if player is self.D else self.last
        for name in [*parts] if self.every else [f"{player.name}/loss"]:
            assert parts[name].isfinite(), name
            reached = self.reached.setdefault(name, set())
            learns = parts[name].requires_grad and (name == f"{player.name}/loss" or not reached)
            if player.terms and learns:
                options = {"retain_graph": True, "materialize_grads": True}
                self.note(player, name, torch.autograd.grad(parts[name], player.parameters, **options))
        return parts

    def accumulate(self, player, turn):
        log = super().accumulate(player, turn)
        if not player.terms:  # then the gradient of the whole is the objective's
            self.note(player, f"{player.name}/loss", self.gradients)
        return log

    def apply(self, player, turn, names, found):
        self.gradients = [gradient.clone() for gradient in found[:-1]]  # before the optimiser scales them
        return super().apply(player, turn, names, found)

    def note(self, player, name, gradients):
        largest = torch.stack(torch._foreach_norm(gradients, torch.inf))
        assert largest.isfinite().all(), f"the gradient of {name}"
        # The gradient of D may be zero, with all scores beyond a hinge's margin; that of G may not.
        assert largest.any() or name != "G/loss", "G learns nothing: no gradient of g_loss reaches it"
        sizes = zip(self.names[player.name], largest.tolist(), strict=True)
        self.reached[name] |= {key for key, size in sizes if size}

    def check(self, all_terms):
        """Assert that every part of a loss has a gradient, and the objective one for every parameter that it should."""
        assert [part for part, names in self.reached.items() if not names] == [], "no gradient by any parameter"
        if self.every:
            assert len(self.reached) == self.n_critic + len(self.D.terms) + 1 + len(self.G.terms)
        for player in (self.D, self.G) if self.n_critic else (self.G,):
            learning, kind = {*self.names[player.name]}, type(player.network).__name__
            missed = learning - self.reached[f"{player.name}/loss"]
            lost = self.lost(missed) if player is self.D else dict.fromkeys(missed, "G's loss has no gradient for it")
            assert lost == {}, f"{type(self.objective).__name__} does not train these parameters of {kind}: {lost}"
            if all_terms:  # then terms are included; those on weights have a gradient for all parameters anyway
                used = [
                    part for part in self.reached if part[0] == player.name and part.split("#")[0] not in self.apart
                ]
                unread = learning - set().union(*(self.reached[part] for part in used))
                assert unread == set(), f"{kind} has parameters that nothing depends on: use or remove {sorted(unread)}"

    def lost(self, names):
        """Return D's parameters without gradient of the objective that should have one, each with the reason.

        A parameter that no score depends on is for terms, and some term must have a gradient for it. A parameter that
        shifts the real and the generated score of each pair equally, such as a bias, alone or times the pair's
        condition, is exempt if the objective is invariant to such shifts: objectives of differences are, and hinges
        while every score is within the margin.
        """
        parameters = {name: p for name, p in self.D.network.named_parameters() if name in names}
        if not parameters:
            return {}
        with torch.random.fork_rng():
            scores = torch.cat([self.last.judge(x.detach()).score for x in (self.last.x, self.last.x_fake)])
        weights = torch.zeros_like(scores, requires_grad=True)
        gradients = torch.autograd.grad(
            (scores * weights).sum(), [*parameters.values()], create_graph=True, materialize_grads=True
        )
        found = {}
        for name, gradient in zip(parameters, gradients, strict=True):
            if not gradient.requires_grad:
                continue
            # The change of all scores along a direction of the parameter: the derivative of a gradient by the weights.
            direction = torch.randn(gradient.shape, dtype=gradient.dtype, generator=torch.Generator().manual_seed(1))
            along = (gradient * direction).sum()
            (change,) = torch.autograd.grad(along, weights, retain_graph=True, materialize_grads=True)
            real, fake = change.chunk(2)
            if (real - fake).abs().max() > 1e-4 * change.abs().max():
                found[name] = "it separates real from generated scores, but D's loss has no gradient for it"
            elif change.any() and not self.is_invariant(real):
                found[name] = "it shifts real and generated scores equally, which changes D's loss: no gradient for it"
        return found

    def is_invariant(self, shift):
        """Return whether the objective's loss of D is invariant to a small shift of each pair of scores."""
        real, fake = (judgement.score.detach().double() for judgement in (self.last.real, self.last.fake))
        by = 1e-5 * shift.double() / shift.abs().max()
        before, after = (self.objective.d_loss(real + some, fake + some).item() for some in (0, by))
        return abs(after - before) <= 1e-6 * 1e-5 * max(1.0, abs(before))


class Session:
    """Games in one setup, with the same two networks, whose weights are reset before each game.

    `accepted` are the pairs of role and term that the setup supports, `refusals` the error messages of the others.
    """

    def __init__(self, setup, latent, terms):
        self.setup, self.latent, self.batch = setup, latent, next(setup.batches())
        layout = torch.channels_last if len(setup.shape) == 3 else torch.preserve_format
        self.D, self.G = (network.to(memory_format=layout) for network in setup.networks())
        self.learns, self.ema = bool([*self.D.parameters()]), ExponentialMovingAverage(self.G, 0.0)
        self.apart = set()
        self.turns = self.build_turn()
        asked = {pair: self.refusal(*pair) for pair in itertools.product("DG", terms)}
        self.refusals = {pair: sentence for pair, sentence in asked.items() if sentence}
        self.accepted = [pair for pair, sentence in asked.items() if not sentence]
        self.tensors = [tensor for m in (self.D, self.G) for tensor in (*m.parameters(), *m.buffers())]
        self.start = [tensor.detach().clone() for tensor in self.tensors]

    def game(self, objective, terms=(), every=False):
        """Return a game at its start."""
        objective, terms = copy.deepcopy((objective, terms))
        players = {}
        for role, network in (("D", self.D), ("G", self.G)):
            own = [*network.parameters()]
            optimiser = Steady(own, STEP_SIZE, foreach=True) if own else None
            players[role] = Player(role, network, optimiser, tuple(term for place, term in terms if place == role))
        rest = {"latent": self.latent, "ema": self.ema, "n_critic": int(self.learns)}
        return Observed(**players, objective=objective, images_total=STEPS * len(self.batch.x), **rest).observe(
            every, self.apart
        )

    def build_turn(self):
        """Return the first turn of each role, to test which terms are supported."""
        game, batch = self.game(NonSaturating()), self.batch
        z, fake = game.generate(batch)
        x, x_fake = batch.x.clone().requires_grad_(), fake.detach().requires_grad_()
        return {"D": game.turn(game.D, batch, x, x_fake, z), "G": game.turn(game.G, batch, batch.x, fake, z)}

    def refusal(self, role, term):
        """Return the error message of a term in a role; empty if it is supported."""
        try:
            if role == "D" and not self.learns:
                specs = {"generator": self.setup.G, "discriminator": self.setup.D, "objective": NonSaturating()}
                Recipe(name="still", n_critic=0, d_terms=(term,), **specs)
            else:
                turn = self.turns[role]
                value, calls = counted(copy.deepcopy(term), turn)
                if not calls and not is_made_from(value, turn.x, turn.x_fake):
                    self.apart.add(f"{role}/{type(unwrapped(term)).__name__}")
        except ValueError as error:
            return str(error)
        return ""

    def play(self, objective, terms, every):
        """Run two steps and check that losses are finite; return the game."""
        with torch.no_grad():
            for tensor, start in zip(self.tensors, self.start, strict=True):
                tensor.copy_(start)
        game, batches = self.game(objective, terms, every), self.setup.batches()
        for _ in range(STEPS):
            log = game.step(batches)
            assert all(value.isfinite() for value in log.values())
        return game


@pytest.fixture
def open_session():
    """The class `Session`, called with a setup, a latent and terms; networks are initialised equally in every test."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield Session
