"""Compiled updates: networks, loss, gradient penalties and all gradients of an update as one graph.

`torch.compile` does not support double backward. So an update is first traced with `make_fx`, derivatives of all
orders included, and the traced graph, which has nothing left to differentiate, is compiled. Objectives, terms and
networks need no changes.

Python values read while tracing would be constants of the graph. So values that change from update to update are inputs
of the graph: the factors of `Every` and `Scheduled`, and all random numbers. A part that reads the clock or calls
`.item()` on a tensor is refused.
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

from zerosum.game.batch import Batch
from zerosum.game.buffers import saved_buffers
from zerosum.game.game import Game
from zerosum.game.judgement import Judgement
from zerosum.game.player import Player, Term
from zerosum.game.random import Draws
from zerosum.game.turn import Augmentation, Clock, Turn
from zerosum.terms.schedules import Every, Scheduled

_Call = tuple[int, str, str, tuple[int, ...]]  # seed, distribution, purpose, shape
_Options = dict[str, str | int | bool | Callable[..., Any]] | None
_Key = tuple[object, ...]


class _Unsupported(Exception):
    """A part does something that a compiled update does not support."""


@dataclass(frozen=True)
class _UnreadableClock(Clock):
    """A clock that raises where it is read."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("updates", "images", "progress"):
            raise _Unsupported("reads the clock by itself")
        return super().__getattribute__(name)


@dataclass(frozen=True, eq=False)
class _RecordedDraws(Draws):
    """Draws that record their calls, and return the numbers of a list where there is one."""

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
        raise _Unsupported(f"draws for {purpose!r} from a stream of its own")


def drawn(draws: Draws, call: _Call) -> Tensor:
    """The numbers of a recorded call, at the position of another update."""
    seed, distribution, purpose, shape = call
    plain = Draws(seed, draws.position, draws.rank, draws.ranks, draws.device)
    return plain.uniform(purpose, shape) if distribution == "uniform" else plain.normal(purpose, shape)


_READING = {
    Tensor.item, Tensor.tolist, Tensor.numpy, Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__,
}  # fmt: skip


class _NoPythonNumbers(TorchFunctionMode):
    """Raises where a tensor is read as a Python number."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _READING:
            raise _Unsupported("reads a tensor as a Python number")
        return func(*args, **(kwargs or {}))


def _factor(term: Term, clock: Clock) -> tuple[float, Term]:
    """The factor of a term's schedules at a time, and the term inside them."""
    factor = 1.0
    while isinstance(term, Every | Scheduled):
        if isinstance(term, Every):
            factor *= 0 if clock.updates % term.n else term.n
        else:
            factor *= term.schedule(clock.progress)
        term = term.term
    return factor, term


def _unsupported(part: str, error: _Unsupported) -> ValueError:
    return ValueError(f"compile does not support {part}, which {error}: leave one of the two out")


@dataclass(frozen=True)
class _Weighted:
    """A term times a factor that is a tensor; None where it is inactive."""

    term: Term
    factor: Tensor | None

    def __call__(self, turn: Turn) -> Tensor:
        if self.factor is None:
            return turn.zero()
        try:
            return self.factor * self.term(turn)
        except _Unsupported as error:
            raise _unsupported(type(self.term).__name__, error) from None


@dataclass(frozen=True)
class _Augmented:
    """An augmentation whose errors name it."""

    augment: Augmentation

    def __call__(self, x: Tensor, role: str, turn: Turn) -> Tensor:
        try:
            return self.augment(x, role, turn)
        except _Unsupported as error:
            raise _unsupported(type(self.augment).__name__, error) from None


@dataclass(frozen=True)
class _Graph:
    """A compiled update.

    Attributes:
        run: maps the input tensors of an update to its outputs.
        calls: the random numbers that it takes.
        names: names of the loss's parts.
        outputs: which tensors of D's outputs are returned, by `real` or `fake` and field.
    """

    run: Callable[..., list[Tensor]]
    calls: tuple[_Call, ...]
    names: tuple[str, ...]
    outputs: tuple[tuple[str, str], ...]


@dataclass(eq=False)
class CompiledUpdates:
    """Compiled updates of a game; each kind (player and set of active terms) is compiled when it first occurs.

    Args:
        backend: backend of `torch.compile`; `aot_eager` runs the graph as it is.
        cuda_graphs: let inductor record each update as a CUDA graph, which the host launches at once.
    """

    backend: str = "inductor"
    cuda_graphs: bool = False
    graphs: dict[_Key, _Graph] = field(default_factory=dict)

    def __call__(self, game: Game, player: Player, batch: Batch) -> tuple[Turn, tuple[str, ...], list[Tensor]]:
        """The turn for watchers, the names of the loss's parts, and gradients and values.

        Raises `ValueError` where a part does something that a compiled update does not support.
        """
        clock = Clock(player.updates, game.images, game.images / game.images_total)
        weighted = [_factor(term, clock) for term in player.terms]
        factors = [factor for factor, _ in weighted]
        draws = game.draws(batch)
        z = draws.mine(game.latent.draw(len(batch.x) * draws.ranks, Draws.stream(draws, "latent")))
        # `torch.tensor(..., device=...)` would wait for the device.
        weights = torch.tensor(factors, dtype=torch.float32).to(batch.x.device, non_blocking=True)
        key = (player.name, batch.x.shape, batch.c is None, *map(bool, factors))
        if key not in self.graphs:
            terms = [(term, bool(factor)) for factor, term in weighted]
            self.graphs[key] = self._compiled(_Update(game, player, terms, draws), batch, z, weights)
        graph = self.graphs[key]
        c = [] if batch.c is None else [batch.c]
        with torch.no_grad():
            found = graph.run(z, batch.x, weights, *c, *(drawn(draws, call) for call in graph.calls))
        count = len(player.parameters) + 1
        if self.cuda_graphs:
            # The next run overwrites the outputs of this one: gradients are used up by then, and the rest may be kept.
            found = [*found[: count - 1], *(tensor.clone() for tensor in found[count - 1 :])]
        own, (x_fake, *outputs) = found[:count], found[count:]
        turn = game.turn(player, batch, batch.x, x_fake, z)
        for role in ("real", "fake"):
            fields: dict[str, Any] = {
                name: value for (at, name), value in zip(graph.outputs, outputs, strict=True) if at == role
            }
            if fields:
                setattr(turn, role, Judgement(maps=(), **fields))
        return turn, graph.names, own

    def _compiled(self, update: "_Update", batch: Batch, z: Tensor, weights: Tensor) -> _Graph:
        """The graph of an update; buffers of networks and random number generators are not changed."""
        buffers = saved_buffers(update.game.G.network, update.game.D.network)
        inputs = [z, batch.x, weights, *([] if batch.c is None else [batch.c])]
        with torch.random.fork_rng():
            numbers = update.record(inputs)
            graph = make_fx(update.run)(*inputs, *numbers)
        again = [buffer.name for buffer in buffers if buffer.is_assigned_again]
        for buffer in buffers:
            buffer.restore()
        if again:
            raise ValueError(
                f"compile does not support a buffer that is assigned again: write self.{again[0]}.copy_(...), not "
                f"self.{again[0]} = ..."
            )
        # Layers with random numbers of their own (dropout) draw the same as without compilation.
        own: _Options = {"fallback_random": True, "triton.cudagraphs": self.cuda_graphs}
        options = own if self.backend == "inductor" else None
        run = torch.compile(graph, fullgraph=True, dynamic=False, backend=self.backend, options=options)
        return _Graph(run, tuple(update.calls), update.names, update.outputs)


@dataclass(eq=False)
class _Update:
    """One kind of update, to be traced."""

    game: Game
    player: Player
    terms: Sequence[tuple[Term, bool]]
    draws: Draws
    calls: list[_Call] = field(default_factory=list)
    names: tuple[str, ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()

    def record(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run once to record the random numbers, and return them."""
        self.run(*inputs)
        return [drawn(self.draws, call) for call in self.calls]

    def run(self, z: Tensor, x: Tensor, weights: Tensor, *others: Tensor) -> list[Tensor]:
        """Gradients, values, samples and D's outputs from latents, samples, factors, condition and random numbers."""
        game, conditions = self.game, len(others) - len(self.calls)
        c, numbers = others[0] if conditions else None, others[conditions:]
        given = iter(numbers) if self.calls else None
        self.calls = []
        draws = _RecordedDraws(**vars(self.draws), calls=self.calls, given=given)
        player = copy.copy(self.player)
        factors = iter(weights.unbind())
        player.terms = tuple(
            _Weighted(term, factor if acts else None) for (term, acts), factor in zip(self.terms, factors, strict=True)
        )
        with game.precision(), _NoPythonNumbers():
            x, x_fake = self._samples(z, x, c)
            augment = None if game.augment is None else _Augmented(game.augment)
            turn = Turn(
                player.name, game.D.network, game.G.network, x, x_fake, z, c, _UnreadableClock(), draws, augment
            )
            self._discriminate(turn)
            try:
                parts = game.parts(player, turn)
            except _Unsupported as error:
                raise _unsupported(type(game.objective).__name__, error) from None
            values = torch.stack([*parts.values()])
            own = torch.autograd.grad(values.sum(), player.parameters, materialize_grads=True)
        self.names = tuple(parts)
        evaluated = [(role, getattr(turn, role)) for role in ("real", "fake") if role in vars(turn)]
        there = [((role, name), value) for role, one in evaluated for name, value in vars(one).items()]
        there = [(name, value) for name, value in there if isinstance(value, Tensor)]  # not the maps, which are large
        self.outputs = tuple(name for name, _ in there)
        outputs = [value.detach() for _, value in there]
        return [*own, values.detach(), x_fake.detach(), *outputs]

    def _samples(self, z: Tensor, x: Tensor, c: Tensor | None) -> tuple[Tensor, Tensor]:
        """Real and generated samples of the player's update."""
        G, ours = self.game.G.network, self.player.name == "D"
        try:
            with torch.set_grad_enabled(not ours):
                x_fake = G(z) if c is None else G(z, c)
        except _Unsupported as error:
            raise _unsupported("this G", error) from None
        return (x.detach().requires_grad_(), x_fake.detach().requires_grad_()) if ours else (x, x_fake)

    def _discriminate(self, turn: Turn) -> None:
        """Compute D's outputs that the objective reads, so that errors of D's network name it."""
        try:
            for role in ("real", "fake") if turn.player == "D" else ("fake", "real"):
                if role == "fake" or turn.player == "D" or self.game.objective.reads_real:
                    getattr(turn, role)
        except _Unsupported as error:
            raise _unsupported("this D", error) from None
