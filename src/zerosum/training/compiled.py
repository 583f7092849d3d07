"""Whole moves compiled: networks, loss, penalties on slopes and the gradient of it all, as one graph.

`torch.compile` cannot differentiate twice. So a move is first written down as the operations that it consists of, the
derivatives of all orders among them, by running it once under a tracer, and what is compiled is that list, in which
there is nothing left to differentiate. Objectives, terms and networks need not know of it.

What a move reads besides tensors would be fixed in the list. So what changes from move to move is taken out of it and
given to it anew each time: the factors of `Every` and `Scheduled`, and all random numbers. A part that reads the clock
or a number off a tensor by itself is refused.
"""

__all__ = ()

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode

from zerosum.game.distributed import ranks
from zerosum.game.game import Game
from zerosum.game.judgement import Judgement
from zerosum.game.micro_batches import Batch
from zerosum.game.player import Player, Term
from zerosum.game.random import Draws
from zerosum.game.turn import Augmentation, Clock, Turn
from zerosum.terms.schedules import Every, Scheduled

_Call = tuple[int, str, str, tuple[int, ...]]  # seed, law, purpose, shape
_Options = dict[str, str | int | bool | Callable[..., Any]] | None
_Key = tuple[object, ...]


class _Refusal(Exception):
    """A part does what a compiled move cannot."""


@dataclass(frozen=True)
class _Unread(Clock):
    """A clock that nobody may read."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("moves", "images", "progress"):
            raise _Refusal("reads the clock by itself")
        return super().__getattribute__(name)


@dataclass(frozen=True, eq=False)
class _Foreseen(Draws):
    """Draws that note what is drawn, and give numbers from a list where there is one."""

    calls: list[_Call] = field(default_factory=list)
    given: Iterator[Tensor] | None = None

    def _next(self, distribution: str, purpose: str, shape: tuple[int, ...]) -> Tensor:
        self.calls.append((self.seed, distribution, purpose, shape))
        return drawn(self, self.calls[-1]) if self.given is None else next(self.given)

    def uniform(self, purpose: str, shape: tuple[int, ...]) -> Tensor:
        return self._next("uniform", purpose, shape)

    def normal(self, purpose: str, shape: tuple[int, ...]) -> Tensor:
        return self._next("normal", purpose, shape)

    def stream(self, purpose: str) -> torch.Generator:
        raise _Refusal(f"draws for {purpose!r} in a way of its own")


def drawn(draws: Draws, call: _Call) -> Tensor:
    """The numbers of a call that was noted, at another move's position."""
    seed, distribution, purpose, shape = call
    plain = Draws(seed, draws.position, draws.rank, draws.ranks, draws.device)
    return plain.uniform(purpose, shape) if distribution == "uniform" else plain.normal(purpose, shape)


_READING = {
    Tensor.item, Tensor.tolist, Tensor.numpy, Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__,
}  # fmt: skip


class _NoReading(TorchFunctionMode):
    """Refuses that a number is read off a tensor."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _READING:
            raise _Refusal("reads a number off a tensor")
        return func(*args, **(kwargs or {}))


def _factor(term: Term, clock: Clock) -> tuple[float, Term]:
    """What a term counts for at a moment by the schedules around it, and the term within them."""
    factor = 1.0
    while isinstance(term, Every | Scheduled):
        if isinstance(term, Every):
            factor *= 0 if clock.updates % term.n else term.n
        else:
            factor *= term.schedule(clock.progress)
        term = term.term
    return factor, term


def _refused(part: str, refusal: _Refusal) -> ValueError:
    return ValueError(f"compile cannot take {part}, which {refusal}: leave one of the two out")


@dataclass(frozen=True)
class _Weighed:
    """A term times a factor that is a tensor; None where it rests."""

    term: Term
    factor: Tensor | None

    def __call__(self, turn: Turn) -> Tensor:
        if self.factor is None:
            return turn.zero()
        try:
            return self.factor * self.term(turn)
        except _Refusal as refusal:
            raise _refused(type(self.term).__name__, refusal) from None


@dataclass(frozen=True)
class _Augmented:
    """An augmentation that is refused by its own name."""

    augment: Augmentation

    def __call__(self, x: Tensor, role: str, turn: Turn) -> Tensor:
        try:
            return self.augment(x, role, turn)
        except _Refusal as refusal:
            raise _refused(type(self.augment).__name__, refusal) from None


@dataclass(frozen=True)
class _Graph:
    """A compiled move.

    Attributes:
        run: from the tensors of a move to those of `_Played`.
        calls: the random numbers that it takes.
        names: of the loss's parts.
        shown: which of the judgements' tensors come out, by `real` or `fake` and field.
    """

    run: Callable[..., list[Tensor]]
    calls: tuple[_Call, ...]
    names: tuple[str, ...]
    shown: tuple[tuple[str, str], ...]


@dataclass(eq=False)
class CompiledUpdates:
    """Moves of a game, each kind compiled when it is first met: D's and G's, with every set of terms that acts at once.

    Args:
        backend: torch's compiler; `aot_eager` plays the list as it is.
    """

    backend: str = "inductor"
    graphs: dict[_Key, _Graph] = field(default_factory=dict)

    def __call__(self, game: Game, player: Player, batch: Batch) -> tuple[Turn, tuple[str, ...], list[Tensor]]:
        """The turn as watchers see it, the names of the loss's parts, and gradients and values.

        Raises `ValueError` where a part does what a compiled move cannot.
        """
        clock = Clock(player.updates, game.images, game.images / game.images_total)
        weighed = [_factor(term, clock) for term in player.terms]
        factors = [factor for factor, _ in weighed]
        draws = game.draws(batch)
        z = draws.mine(game.latent.draw(len(batch.x) * draws.ranks, Draws.stream(draws, "latent")))
        weights = torch.tensor(factors, dtype=torch.float32, device=batch.x.device)
        key = (player.name, batch.x.shape, batch.c is None, *map(bool, factors))
        if key not in self.graphs:
            terms = [(term, bool(factor)) for factor, term in weighed]
            self.graphs[key] = self._compiled(_Move(game, player, terms, draws), batch, z, weights)
        graph = self.graphs[key]
        c = [] if batch.c is None else [batch.c]
        with torch.no_grad():
            found = graph.run(z, batch.x, weights, *c, *(drawn(draws, call) for call in graph.calls))
        count = len(player.parameters) + 1
        own, (x_fake, *shown) = found[:count], found[count:]
        turn = game.turn(player, batch, batch.x, x_fake, z)
        for side in ("real", "fake"):
            pieces = {name: value for (at, name), value in zip(graph.shown, shown, strict=True) if at == side}
            if pieces:
                setattr(turn, side, Judgement(**pieces))
        return turn, graph.names, own

    def _compiled(self, move: "_Move", batch: Batch, z: Tensor, weights: Tensor) -> _Graph:
        """The graph of a move, which leaves the networks and the generators of random numbers as they are."""
        networks = (move.game.G.network, move.game.D.network)
        before = [(buffer, buffer.clone()) for network in networks for buffer in network.buffers()]
        inputs = [z, batch.x, weights, *([] if batch.c is None else [batch.c])]
        with torch.random.fork_rng():
            numbers = move.rehearse(inputs)
            graph = make_fx(move.play)(*inputs, *numbers)
        for buffer, value in before:
            buffer.copy_(value)
        # Layers that draw by themselves draw what they would without being compiled.
        options: _Options = {"fallback_random": True} if self.backend == "inductor" else None
        run = torch.compile(graph, fullgraph=True, dynamic=False, backend=self.backend, options=options)
        return _Graph(run, tuple(move.calls), move.names, move.shown)


@dataclass(eq=False)
class _Move:
    """One kind of move, to be written down."""

    game: Game
    player: Player
    terms: Sequence[tuple[Term, bool]]
    draws: Draws
    calls: list[_Call] = field(default_factory=list)
    names: tuple[str, ...] = ()
    shown: tuple[tuple[str, str], ...] = ()

    def rehearse(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Play once to learn what is drawn, and return it."""
        self.play(*inputs)
        return [drawn(self.draws, call) for call in self.calls]

    def play(self, z: Tensor, x: Tensor, weights: Tensor, *others: Tensor) -> list[Tensor]:
        """Gradients, values, samples and judgements from latents, samples, factors, condition and random numbers."""
        game, conditions = self.game, len(others) - len(self.calls)
        c, numbers = others[0] if conditions else None, others[conditions:]
        given = iter(numbers) if self.calls else None
        self.calls = []
        draws = _Foreseen(**vars(self.draws), calls=self.calls, given=given)
        player = copy.copy(self.player)
        factors = iter(weights.unbind())
        player.terms = tuple(
            _Weighed(term, factor if acts else None) for (term, acts), factor in zip(self.terms, factors, strict=True)
        )
        with game.precision(), _NoReading():
            x, x_fake = self._samples(z, x, c)
            augment = None if game.augment is None else _Augmented(game.augment)
            turn = Turn(player.name, game.D.network, game.G.network, x, x_fake, z, c, _Unread(), draws, augment)
            self._judge(turn)
            try:
                parts = game.parts(player, turn)
            except _Refusal as refusal:
                raise _refused(type(game.objective).__name__, refusal) from None
            values = torch.stack([*parts.values()])
            own = torch.autograd.grad(values.sum(), player.parameters, materialize_grads=True)
        self.names = tuple(parts)
        judged = [(side, getattr(turn, side)) for side in ("real", "fake") if side in vars(turn)]
        there = [((side, name), value) for side, one in judged for name, value in vars(one).items()]
        self.shown = tuple(name for name, value in there if value is not None)
        shown = [value.detach() for _, value in there if value is not None]
        return [*own, values.detach(), x_fake.detach(), *shown]

    def _samples(self, z: Tensor, x: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
        """Real and generated samples, as they are on the player's move."""
        G, ours = self.game.G.network, self.player.name == "D"
        try:
            with torch.set_grad_enabled(not ours):
                x_fake = G(z) if c is None else G(z, c)
        except _Refusal as refusal:
            raise _refused("this G", refusal) from None
        return (x.detach().requires_grad_(), x_fake.detach().requires_grad_()) if ours else (x, x_fake)

    def _judge(self, turn: Turn) -> None:
        """The judgements that the objective reads, so that what D's network refuses goes by its name."""
        try:
            for side in ("real", "fake") if turn.player == "D" else ("fake", "real"):
                if side == "fake" or turn.player == "D" or self.game.objective.reads_real:
                    getattr(turn, side)
        except _Refusal as refusal:
            raise _refused("this D", refusal) from None


def check_compiled(game: Game) -> None:
    """Raise `ValueError` where a game cannot be compiled whatever its terms are."""
    if game.opponent is not None:
        raise ValueError(f"compile cannot take {type(game.opponent).__name__}, which makes moves within a move")
    if game.micro_batch is not None:
        raise ValueError("compile takes a move as a whole, and micro_batch in pieces: leave one of the two out")
    if ranks() > 1:
        raise ValueError("compile plays in one process, and these are several: leave it out")
