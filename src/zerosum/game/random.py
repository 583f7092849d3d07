"""Random numbers as a pure function of (seed, purpose, position), so that no generator state has to be saved."""

__all__ = ["Draws"]

import hashlib
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor


def derived_seed(*key: object) -> int:
    """A 63-bit seed from any key of plain values; the same on every machine, unlike `hash`."""
    plain = tuple(int(part) if isinstance(part, Integral) and not isinstance(part, bool) else part for part in key)
    digest = hashlib.blake2b(repr(plain).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def stream(*key: object) -> torch.Generator:
    """A CPU generator seeded by a key of plain values."""
    return torch.Generator().manual_seed(derived_seed(*key))


@dataclass(frozen=True, eq=False)
class Draws:
    """The random numbers of one update.

    Numbers are drawn for the batch of all ranks together, and each rank takes its own rows. So ranks never share
    a z, and any number of ranks draws the numbers of a single process.

    Args:
        seed: the run's seed.
        position: index of the update's first sample in the stream of all samples drawn.
        rank: this process, 0 <= rank < ranks.
        ranks: number of processes.
        device: the device of the results; the numbers are drawn on the CPU, so they do not depend on it.
    """

    seed: int
    position: int
    rank: int = 0
    ranks: int = 1
    device: torch.device = torch.device("cpu")

    def stream(self, purpose: str) -> torch.Generator:
        """The generator of one purpose at this position, the same on every rank."""
        return stream(self.seed, purpose, self.position)

    def mine(self, rows: Tensor) -> Tensor:
        """This rank's rows `(B, ...)` of the rows of all ranks `(B * ranks, ...)`, on the device."""
        own = len(rows) // self.ranks
        return rows[self.rank * own : (self.rank + 1) * own].to(self.device, non_blocking=True)

    def uniform(self, purpose: str, shape: tuple[int, ...]) -> Tensor:
        """Uniform numbers in [0, 1) of a shape `(B, ...)`."""
        return self.mine(torch.rand((shape[0] * self.ranks, *shape[1:]), generator=self.stream(purpose)))

    def normal(self, purpose: str, shape: tuple[int, ...]) -> Tensor:
        """Standard normal numbers of a shape `(B, ...)`."""
        return self.mine(torch.randn((shape[0] * self.ranks, *shape[1:]), generator=self.stream(purpose)))
