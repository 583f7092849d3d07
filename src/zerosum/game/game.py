"""The game: alternating moves of a discriminator and a generator. The whole algorithm is `step`."""

__all__ = ["Game", "Opponent", "ReadsScores", "Watcher"]

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from zerosum.game.distributed import average, everyone, rank, ranks
from zerosum.game.ema import ExponentialMovingAverage
from zerosum.game.finite import DeferredCheck, check_finite
from zerosum.game.micro_batches import Batch, detached, joined
from zerosum.game.player import Player, unwrapped
from zerosum.game.random import Draws
from zerosum.game.state import Part, State, counts_of, load_count, load_state, state_of
from zerosum.game.trainable import MAIN, Groups
from zerosum.game.turn import Augmentation, Clock, Discriminator, Turn
from zerosum.protocols import Latent, Objective, Stateful

Log = dict[str, Tensor]


@runtime_checkable
class Watcher(Protocol):
    """An observer of moves: diagnostics, adaptive parts. It may add readings to the log."""

    def watch(self, player: str, turn: Turn, log: Log) -> None:
        """Called after each move of `player` with its turn and its log."""
        ...


@runtime_checkable
class ReadsScores(Protocol):
    """A watcher that reads scores, and so has to know what the players want of them."""

    def meet(self, objective: Objective) -> None:
        """Called once, when the game is laid out."""
        ...


class Opponent(Protocol):
    """What G is shown in D's place on its moves."""

    def __call__(self, game: "Game", turn: Turn) -> Discriminator:
        """The discriminator for G's turn."""
        ...


class Compiled(Protocol):
    """Plays a move in a compiled form."""

    def __call__(self, game: "Game", player: Player, batch: Batch) -> tuple[Turn, tuple[str, ...], list[Tensor]]:
        """The turn as watchers see it, the names of the loss's parts, and gradients and then the parts' values."""
        ...


@dataclass(eq=False)
class Game:
    """The training step, whichever objective, terms and networks it holds.

    Each player descends only in its own parameters, by `torch.autograd.grad(loss, own_parameters)`: nothing is
    frozen or zeroed, and no gradient leaks to the other side.

    Attributes:
        G: the generator's side.
        D: the discriminator's side.
        objective: what the two want.
        latent: the law of z.
        ema: the generator's running average.
        n_critic: moves of D in a round; 0 where D has nothing to learn.
        n_generator: moves of G in a round.
        images_total: length of the run, for schedules.
        seed: every random number derives from it.
        opponent: the discriminator that G trains against on its move, from the game and G's turn; by default D as it
        is. augment: what is done to samples before D sees them. watchers: observers of every move; an objective, term
        or augmentation that can watch is one without being
            listed.
        precision: makes the context in which networks and losses are computed.
        micro_batch: samples of a batch that gradients are taken of at a time, to save memory; None for all.
        compiled: plays moves in a compiled form; None to play them as they are.
        late: what looks for numbers that are not finite without waiting for the device; None to look at each move.
    """

    G: Player
    D: Player
    objective: Objective
    latent: Latent
    ema: ExponentialMovingAverage
    n_critic: int = 1
    n_generator: int = 1
    images_total: int = 1
    seed: int = 0
    opponent: Opponent | None = None
    augment: Augmentation | None = None
    watchers: tuple[Watcher, ...] = ()
    precision: Callable[[], AbstractContextManager[None]] = nullcontext
    micro_batch: int | None = None
    compiled: Compiled | None = None
    deferred: DeferredCheck | None = None
    images: int = 0

    def __post_init__(self) -> None:
        parts: tuple[object, ...] = (self.objective, self.augment, *map(unwrapped, (*self.D.terms, *self.G.terms)))
        watching = (*(part for part in parts if isinstance(part, Watcher)), *self.watchers)
        self.watchers = tuple({id(watcher): watcher for watcher in watching}.values())  # a part of both players once
        for watcher in self.watchers:
            if isinstance(watcher, ReadsScores):
                watcher.meet(self.objective)

    @property
    def steps(self) -> int:
        """Updates of G so far."""
        return self.G.updates

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """G and D, by name."""
        return {player.name: player.network for player in (self.G, self.D)}

    @property
    def generators(self) -> Mapping[str, nn.Module]:
        """The running average of G."""
        return {MAIN: self.ema.module}

    def step(self, batches: Iterator[Batch]) -> Log:
        """Play one round: `n_critic` moves of D and then `n_generator` of G, each on its own batch."""
        log: Log = {}
        before = self.images
        for _ in range(self.n_critic):
            log |= self.update_D(next(batches))
        for _ in range(self.n_generator):
            log |= self.update_G(next(batches))
        self.ema.update(self.images - before, self.images, None if self.deferred is None else self.deferred.bad)
        return log

    def update_D(self, batch: Batch) -> Log:
        """D learns to tell real samples from generated ones."""
        log = self.move(self.D, batch, self.turn_D)
        self.images += len(batch.x) * ranks()
        return log

    def turn_D(self, batch: Batch) -> Turn:
        """Real samples, and generated ones that G has no part in."""
        with torch.no_grad(), self.precision():
            z, x_fake = self.generate(batch)
        return self.turn(self.D, batch, batch.x.detach().requires_grad_(), x_fake.requires_grad_(), z)

    def update_G(self, batch: Batch) -> Log:
        """G learns to be taken for real, by the D that it is shown."""
        log = self.move(self.G, batch, self.turn_G)
        self.images += 0 if self.n_critic else len(batch.x) * ranks()  # with no moves of D, G's batches are the clock
        return log

    def turn_G(self, batch: Batch) -> Turn:
        """Samples that G answers for, before the D that it is shown."""
        with self.precision():
            z, x_fake = self.generate(batch)
        turn = self.turn(self.G, batch, batch.x, x_fake, z)
        if self.opponent is not None:
            turn.D = self.opponent(self, turn)
        return turn

    def move(self, player: Player, batch: Batch, build_turn: Callable[[Batch], Turn]) -> Log:
        """A player's move, compiled or as it is."""
        if self.compiled is None:
            return self.descend(player, self.turns(batch, build_turn))
        return self.conclude(player, *self.compiled(self, player, batch))

    def turns(self, batch: Batch, build_turn: Callable[[Batch], Turn]) -> Iterator[Turn]:
        """The turn of a batch, or one after another those of its pieces."""
        pieces = batch.pieces(self.micro_batch)
        buffers = [*self.G.network.buffers(), *self.D.network.buffers()] if len(pieces) > 1 else []
        before = [buffer.clone() for buffer in buffers]
        for piece in pieces:
            # Every piece passes through the networks as the whole batch would: spectral norm's vector moves on once.
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)
            yield build_turn(piece)

    def generate(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Draw latents for a batch, and the samples that G makes of them under the batch's condition."""
        draws = self.draws(batch)
        z = draws.mine(self.latent.draw(len(batch.x) * draws.ranks, draws.stream("latent"))).to(batch.x.dtype)
        return z, self.G.network(z) if batch.c is None else self.G.network(z, batch.c)

    def parts(self, player: Player, turn: Turn) -> Log:
        """What the player minimises, by name: its part of the objective and each of its terms, scalars."""
        if player.name == self.D.name:
            parts = {"D/loss": self.objective.d_loss(*everyone([turn.real.score, turn.fake.score]))}
        else:
            read = [turn.fake.score, turn.real.score] if self.objective.reads_real else [turn.fake.score]
            parts = {"G/loss": self.objective.g_loss(*everyone(read))}
        for term in player.terms:
            parts[_free_name(f"{player.name}/{type(unwrapped(term)).__name__}", parts)] = term(turn)
        return parts

    def descend(self, player: Player, turns: Iterable[Turn]) -> Log:
        """Take the gradient of the sum of a player's parts in its own parameters over its turns, check it, step."""
        played: list[Turn] = []
        total: list[Tensor] = []
        for turn in turns:
            with self.precision():
                parts = self.parts(player, turn)
                values = torch.stack([*parts.values()])
                own = torch.autograd.grad(values.sum(), player.parameters, materialize_grads=True)
            played.append(turn if self.micro_batch is None else detached(turn))
            found = [*own, values.detach()]
            total = [*torch._foreach_add(total, found)] if total else found
        if len(played) > 1:
            total = [*torch._foreach_div(total, len(played))]
            turn = joined(played, replace(turn.draws, rank=rank(), ranks=ranks()))
        return self.conclude(player, turn, tuple(parts), total)

    def conclude(self, player: Player, turn: Turn, names: tuple[str, ...], found: Sequence[Tensor]) -> Log:
        """Check gradients and the values of the loss's named parts, which come last, step, and tell who watches."""
        # The values travel with the gradients, so that every rank sees the same and stops at the same step.
        *gradients, means = average(found)
        log = dict(zip(names, means.unbind(), strict=True))
        log[f"{player.name}/gradient"] = get_total_norm(gradients)
        if self.deferred is None:
            check_finite(log)
            player.step(gradients, turn.clock.progress)
        else:
            self.deferred.note(log)
            player.step(gradients, turn.clock.progress, self.deferred.bad)
        for watcher in self.watchers:
            watcher.watch(player.name, turn, log)
        return log

    def check_finite(self) -> None:
        """Raise `NonFiniteError` where a move so far has gone wrong, before anything is kept of it."""
        if self.deferred is not None:
            self.deferred.read()

    def turn(self, player: Player, batch: Batch, x: Tensor, x_fake: Tensor, z: Tensor) -> Turn:
        """Lay the table for a player's move."""
        D, G = self.D.network, self.G.network
        clock = Clock(player.updates, self.images, self.images / self.images_total)
        return Turn(player.name, D, G, x, x_fake, z, batch.c, clock, self.draws(batch), self.augment)

    def draws(self, batch: Batch) -> Draws:
        """The random numbers of a batch's move."""
        row, rows = rank() * batch.parts + batch.part, ranks() * batch.parts
        return Draws(self.seed, batch.position, row, rows, batch.x.device)

    def slow_down(self, factor: float) -> None:
        """Multiply the learning rates of both players."""
        for player in (self.G, self.D):
            player.base_rates = [rate * factor for rate in player.base_rates]

    def state_dict(self) -> Groups:
        """Networks, the average of G, optimisers, the memory of objective, terms and augmentation, and counts."""
        counts = {"images": self.images, "G_moves": self.G.updates, "D_moves": self.D.updates}
        return state_of(self._parts()) | {"counts": counts_of({**counts, "images_before": self.ema.before})}

    def load_state_dict(self, state: State) -> None:
        """Go on from a state; raises `ValueError` where it is of another game, and may then be half changed."""
        load_state(self._parts(), state)
        counts = state.get("counts", {})
        self.images, self.ema.before = load_count(counts, "images"), load_count(counts, "images_before")
        self.G.updates, self.D.updates = load_count(counts, "G_moves"), load_count(counts, "D_moves")

    def load_weights(self, state: State, images: int) -> None:
        """Start from the weights of another run: G, D and the average of G, as one that has seen so many images.

        That average would else forget the old weights within its first images, as it should forget untrained ones.
        """
        load_state({**self.networks, **self.generators}, state)
        self.ema.before = images

    def _parts(self) -> dict[str, Part]:
        """What has a state, by the name of its group."""
        players = (self.G, self.D)
        further: dict[str, object] = {"objective": self.objective, "augment": self.augment}
        for player in players:
            further |= {f"{player.name}_term_{i}": unwrapped(term) for i, term in enumerate(player.terms)}
        optimisers = {f"{p.name}_opt": p.optimiser for p in players if p.optimiser is not None}
        memory = {name: part for name, part in further.items() if isinstance(part, Stateful)}
        return {**self.networks, **self.generators, **optimisers, **memory}


def _free_name(name: str, taken: Mapping[str, object]) -> str:
    """A name for a part of the loss: two equal terms both count and both show, the second as `#2`."""
    count = sum(key.split("#")[0] == name for key in taken)
    return f"{name}#{count + 1}" if count else name
