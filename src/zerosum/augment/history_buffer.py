"""A pool of past generated samples, from which D sees some in place of new ones."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from zerosum._arrays import described
from zerosum.augment._checks import check_probability
from zerosum.game.turn import Turn


@dataclass(eq=False)
class _Pool:
    """Samples `(n, ...)` on the CPU; None before the first."""

    samples: Tensor | None = None


@dataclass(frozen=True)
class HistoryBuffer:
    """In D's updates, some generated samples are replaced by past ones: Shrivastava et al. 2017 (arXiv 1612.07828).

    Section 2.3: a D that sees only what G generates now forgets what G generated before, and G can return to it. With
    probability `share` D sees a sample of the pool, uniformly drawn, in place of a generated one. After the update each
    generated sample enters the pool with probability `share`, in place of a random one; all enter until it is full.
    Shrivastava et al. replace half of each batch, and CycleGAN (arXiv 1703.10593) has a pool of 50.

    A past sample was generated under another condition, so D must not see conditions: use `Blind` in conditional games
    (`Cycle` does). Gradient penalties at generated samples are 0 where a sample is replaced.

    Args:
        size: samples in the pool (>= 1).
        share: share of past samples among those that D sees as generated, in [0, 1].
    """

    size: int = 50
    share: float = 0.5
    pool: _Pool = field(default_factory=_Pool, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_probability("share", self.share)
        if self.size < 1:
            raise ValueError(f"size counts the samples of a history buffer, at least 1; found {self.size}")

    def __call__(self, x: Tensor, role: str, turn: Turn) -> Tensor:
        """The samples, of the same shape; of generated ones in D's update some are past ones.

        Raises `ValueError` for samples of another shape than those of the pool.
        """
        if role != "fake" or turn.player != "D":
            return x
        # From a stream, also while the pool is empty: so compiled updates, in which it would be constant, refuse it.
        draws, draw = turn.draws, turn.draws.stream("history")
        u, place = draws.mine(torch.rand(len(x) * draws.ranks, 2, generator=draw)).unbind(1)
        past = self.pool.samples
        if past is None:
            return x
        if past.shape[1:] != x.shape[1:]:
            raise ValueError(f"the history buffer has samples of {tuple(past.shape[1:])}; found {tuple(x.shape[1:])}")
        replaced = (u < self.share).view(-1, *(1,) * (x.dim() - 1))
        return torch.where(replaced, past[(len(past) * place).long().cpu()].to(x), x)

    def watch(self, player: str, turn: Turn, log: dict[str, Tensor]) -> None:
        """After an update of D: put generated samples of all ranks into the pool."""
        if player != "D":
            return
        made = turn.everyone(turn.x_fake.detach()).cpu()
        past = made[:0] if self.pool.samples is None else self.pool.samples
        free = self.size - len(past)
        self.pool.samples = torch.cat([past, made[:free]])
        made = made[free:]
        draw = turn.draws.stream("history, kept")
        chosen = made[torch.rand(len(made), generator=draw) < self.share][: self.size]
        self.pool.samples[torch.randperm(self.size, generator=draw)[: len(chosen)]] = chosen

    def state_dict(self) -> dict[str, Tensor]:
        """The pool, `samples` `(n, ...)`; nothing before the first update of D."""
        return {} if self.pool.samples is None else {"samples": self.pool.samples.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Load the state from `state_dict()`; raises `ValueError` for another pool."""
        samples = state.get("samples")
        if samples is not None and not (
            samples.is_floating_point() and samples.dim() and 1 <= len(samples) <= self.size
        ):
            raise ValueError(
                f"a history buffer of {self.size} has one to {self.size} samples, of floating point; found "
                f"{described(samples)}"
            )
        self.pool.samples = None if samples is None else samples.clone()
