"""The game: alternating updates of a discriminator and a generator. The whole algorithm is `step`."""

__all__ = ["Game", "Opponent", "ReadsScores", "Watcher"]

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from zerosum.game.batch import Batch
from zerosum.game.buffers import saved_buffers
from zerosum.game.distributed import average, everyone, rank, ranks
from zerosum.game.ema import ExponentialMovingAverage
from zerosum.game.finite import DeferredCheck, check_finite
from zerosum.game.micro_batches import concatenated, detached
from zerosum.game.player import Player, unwrapped
from zerosum.game.precision import at_least_float32
from zerosum.game.random import Draws
from zerosum.game.state import Part, State, counts_of, load_count, load_state, state_of
from zerosum.game.trainable import MAIN, Groups
from zerosum.game.turn import Augmentation, Clock, Discriminator, Turn
from zerosum.protocols import Latent, Objective, Stateful

Log = dict[str, Tensor]


@runtime_checkable
class Watcher(Protocol):
    """A callback after each update: diagnostics, adaptive parts. It may add values to the log."""

    def watch(self, player: str, turn: Turn, log: Log) -> None:
        """Called after each update of `player` with its turn and its log."""
        ...


@runtime_checkable
class ReadsScores(Protocol):
    """A watcher that uses scores, and so needs to know the objective."""

    def meet(self, objective: Objective) -> None:
        """Called once, when the game is built."""
        ...


class Opponent(Protocol):
    """Chooses the discriminator that G trains against."""

    def __call__(self, game: "Game", turn: Turn) -> Discriminator:
        """The discriminator for G's turn."""
        ...


class Compiled(Protocol):
    """Computes an update in compiled form."""

    def __call__(self, game: "Game", player: Player, batch: Batch) -> tuple[Turn, tuple[str, ...], list[Tensor]]:
        """The turn for watchers, the names of the loss parts, and gradients followed by the values of the parts."""
        ...


@dataclass(eq=False)
class Game:
    """The training step, for any objective, terms and networks.

    Each player descends only in its own parameters, by `torch.autograd.grad(loss, own_parameters)`: nothing is
    frozen or zeroed, and no gradient leaks to the other player.

    Attributes:
        G: the generator and its optimiser.
        D: the discriminator and its optimiser.
        objective: the losses of both players.
        latent: the prior of z.
        ema: the exponential moving average of the generator.
        n_critic: updates of D per step; 0 where D has nothing to learn.
        n_generator: updates of G per step.
        images_total: length of the run in images, for schedules.
        seed: random seed.
        opponent: returns the discriminator that G trains against, from the game and G's turn; by default D itself.
        augment: augmentation of the samples that D sees.
        watchers: callbacks after every update; an objective, term or augmentation with a `watch` method is added
            automatically.
        precision: makes the context in which networks and losses are computed.
        micro_batch: samples per micro-batch for gradient accumulation, to save memory; None for the whole batch.
        compiled: computes updates in compiled form; None for eager mode.
        deferred: checks for NaN and Inf without waiting for the device; None to check at every update.
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
        """The exponential moving average of G."""
        return {MAIN: self.ema.module}

    def step(self, batches: Iterator[Batch]) -> Log:
        """Take one training step: `n_critic` updates of D, then `n_generator` of G, each on its own batch."""
        log: Log = {}
        before = self.images
        for _ in range(self.n_critic):
            log |= self.update_D(next(batches))
        for _ in range(self.n_generator):
            log |= self.update_G(next(batches))
        self.ema.update(self.images - before, self.images, None if self.deferred is None else self.deferred.bad)
        return log

    def update_D(self, batch: Batch) -> Log:
        """One update of D, which learns to distinguish real from generated samples."""
        log = self.update(self.D, batch, self.turn_D)
        self.images += len(batch.x) * ranks()
        return log

    def turn_D(self, batch: Batch) -> Turn:
        """The turn of D: real samples, and generated ones detached from G."""
        with torch.no_grad(), self.precision():
            z, x_fake = self.generate(batch)
        return self.turn(self.D, batch, batch.x.detach().requires_grad_(), x_fake.requires_grad_(), z)

    def update_G(self, batch: Batch) -> Log:
        """One update of G against its opponent."""
        log = self.update(self.G, batch, self.turn_G)
        self.images += 0 if self.n_critic else len(batch.x) * ranks()  # with no updates of D, G's batches count
        return log

    def turn_G(self, batch: Batch) -> Turn:
        """The turn of G: generated samples attached to G, and the opponent in place of D."""
        with self.precision():
            z, x_fake = self.generate(batch)
        turn = self.turn(self.G, batch, batch.x, x_fake, z)
        if self.opponent is not None:
            turn.D = self.opponent(self, turn)
        return turn

    def update(self, player: Player, batch: Batch, build_turn: Callable[[Batch], Turn]) -> Log:
        """Update a player, in compiled form or eager mode."""
        if self.compiled is None:
            return self.accumulate(player, self.micro_batch_turns(batch, build_turn))
        return self.apply(player, *self.compiled(self, player, batch))

    def micro_batch_turns(self, batch: Batch, build_turn: Callable[[Batch], Turn]) -> Iterator[Turn]:
        """Yield the turn of each micro-batch, or that of the whole batch."""
        micro_batches = batch.micro_batches(self.micro_batch)
        buffers = saved_buffers(self.G.network, self.D.network) if len(micro_batches) > 1 else []
        for micro_batch in micro_batches:
            # Each starts from the same buffers, so that spectral norm does one power iteration per update.
            for buffer in buffers:
                buffer.restore()
            yield build_turn(micro_batch)

    def generate(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Draw latents for a batch, and generate samples from them under the batch's condition."""
        draws = self.draws(batch)
        z = draws.mine(self.latent.draw(len(batch.x) * draws.ranks, draws.stream("latent"))).to(batch.x.dtype)
        x = self.G.network(z) if batch.c is None else self.G.network(z, batch.c)
        return z, at_least_float32(x)

    def parts(self, player: Player, turn: Turn) -> Log:
        """The parts of a player's loss by name: the objective and each of its terms, scalars."""
        if player.name == self.D.name:
            parts = {"D/loss": self.objective.d_loss(*everyone([turn.real.score, turn.fake.score]))}
        else:
            scores = [turn.fake.score, turn.real.score] if self.objective.reads_real else [turn.fake.score]
            parts = {"G/loss": self.objective.g_loss(*everyone(scores))}
        return parts | player.term_parts(turn)

    def accumulate(self, player: Player, turns: Iterable[Turn]) -> Log:
        """Accumulate the gradient of a player's loss in its own parameters over its turns, and apply it."""
        done: list[Turn] = []
        total: list[Tensor] = []
        for turn in turns:
            with self.precision():
                parts = self.parts(player, turn)
                values = torch.stack([*parts.values()])
                own = torch.autograd.grad(values.sum(), player.parameters, materialize_grads=True)
            done.append(turn if self.micro_batch is None else detached(turn))
            found = [*own, values.detach()]
            total = [*torch._foreach_add(total, found)] if total else found
        if len(done) > 1:
            total = [*torch._foreach_div(total, len(done))]
            turn = concatenated(done, replace(turn.draws, rank=rank(), ranks=ranks()))
        return self.apply(player, turn, tuple(parts), total)

    def apply(self, player: Player, turn: Turn, names: tuple[str, ...], found: Sequence[Tensor]) -> Log:
        """Average gradients and loss values over ranks, check them, step, and call the watchers.

        Args:
            player: the player to update.
            turn: its turn, for the watchers.
            names: the parts of its loss.
            found: its gradients, followed by the values of the parts.
        """
        # The values travel with the gradients, so that every rank sees the same and stops at the same step.
        *gradients, means = average(found)
        log = dict(zip(names, means.unbind(), strict=True))
        log[f"{player.name}/gradient_norm"] = get_total_norm(gradients)
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
        """Raise `NonFiniteError` where an update so far met NaN or Inf, before anything is saved."""
        if self.deferred is not None:
            self.deferred.read()

    def turn(self, player: Player, batch: Batch, x: Tensor, x_fake: Tensor, z: Tensor) -> Turn:
        """Build the turn of an update."""
        D, G = self.D.network, self.G.network
        clock = Clock(player.updates, self.images, self.images / self.images_total)
        return Turn(player.name, D, G, x, x_fake, z, batch.c, clock, self.draws(batch), self.augment)

    def draws(self, batch: Batch) -> Draws:
        """The random numbers of an update on a batch."""
        row, rows = rank() * batch.parts + batch.part, ranks() * batch.parts
        return Draws(self.seed, batch.position, row, rows, batch.x.device)

    def slow_down(self, factor: float) -> None:
        """Multiply the learning rates of both players."""
        for player in (self.G, self.D):
            player.base_rates = [rate * factor for rate in player.base_rates]

    def state_dict(self) -> Groups:
        """Networks, the EMA of G, optimisers, the state of objective, terms and augmentation, and counts."""
        counts = {"images": self.images, "G_moves": self.G.updates, "D_moves": self.D.updates}
        return state_of(self._parts()) | {"counts": counts_of({**counts, "images_before": self.ema.before})}

    def load_state_dict(self, state: State) -> None:
        """Load a state; raises `ValueError` where it is of another game, and may then be partly loaded."""
        load_state(self._parts(), state)
        counts = state.get("counts", {})
        self.images, self.ema.before = load_count(counts, "images"), load_count(counts, "images_before")
        self.G.updates, self.D.updates = load_count(counts, "G_moves"), load_count(counts, "D_moves")

    def load_weights(self, state: State, images: int) -> None:
        """Start from the weights of another run: G, D and the EMA of G, which had seen `images` images.

        Otherwise the EMA would forget the loaded weights within its first images, as it forgets untrained ones.
        """
        load_state({**self.networks, **self.generators}, state)
        self.ema.before = images

    def _parts(self) -> dict[str, Part]:
        """Everything with a state, by the name of its group."""
        players = (self.G, self.D)
        further: dict[str, object] = {"objective": self.objective, "augment": self.augment}
        for player in players:
            further |= {f"{player.name}_term_{i}": unwrapped(term) for i, term in enumerate(player.terms)}
        optimisers = {f"{p.name}_opt": p.optimiser for p in players if p.optimiser is not None}
        memory = {name: part for name, part in further.items() if isinstance(part, Stateful)}
        return {**self.networks, **self.generators, **optimisers, **memory}
