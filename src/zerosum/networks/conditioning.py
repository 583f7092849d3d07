"""What a condition is, and how it enters a network.

The condition `c` of a batch is any tensor; a value such as `Labels` says what it holds, and modules here bring it
into a network. A network built with `condition=None` is called without `c`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Labels:
    """The condition is a class label: int64 `(B,)` in [0, count)."""

    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"labels need at least one class; found count={self.count}")


def check_embedding(size: int) -> None:
    """Raise `ValueError` for an embedding without entries, through which a condition would go unseen."""
    if size < 1:
        raise ValueError(f"an embedding has a number of entries, at least 1; found {size}")


@dataclass(frozen=True)
class Concatenate:
    """Concatenate an embedding of the condition to the input: the conditional GAN of Mirza and Osindero 2014.

    To vectors it is appended; to pictures it is added as constant planes, one for each of its entries
    (arXiv 1411.1784; planes as in Reed et al. 2016, arXiv 1605.05396).

    Args:
        size: entries of the embedding.
    """

    size: int = 16

    def __post_init__(self) -> None:
        check_embedding(self.size)


@dataclass(frozen=True)
class Projection:
    """Add <embedding of c, features> to the score: the projection head, Miyato and Koyama 2018 (arXiv 1802.05637)."""


def _embedding(condition: Labels, size: int, scale: float = 1.0) -> nn.Embedding:
    embedding = nn.Embedding(condition.count, size)
    nn.init.normal_(embedding.weight, std=scale)
    return embedding


class Join(nn.Module):
    """Concatenate an embedding of the condition to vectors `(B, d)` or, as planes, to maps `(B, C, H, W)`.

    Args:
        condition: what c is; None joins nothing.
        size: entries of the embedding.
    """

    def __init__(self, condition: Labels | None, size: int) -> None:
        super().__init__()
        self.size = 0 if condition is None else size
        self.embedding = None if condition is None else _embedding(condition, size)

    def forward(self, h: Tensor, c: Tensor | None = None) -> Tensor:
        """`(B, d + size)` or `(B, C + size, H, W)`."""
        if self.embedding is None:
            return h
        if c is None:
            raise ValueError("this network is conditional: call it with a condition c")
        entries = self.embedding(c).to(h.dtype)
        entries = entries[(...,) + (None,) * (h.dim() - 2)].expand(-1, -1, *h.shape[2:])
        return torch.cat([h, entries], dim=1)


def entrance(conditioning: Concatenate | Projection, condition: Labels | None) -> tuple[Join, Labels | None]:
    """A discriminator's entrance for the condition, and what of the condition is left to its head."""
    if isinstance(conditioning, Concatenate):
        return Join(condition, conditioning.size), None
    return Join(None, 0), condition


class Head(nn.Module):
    """Score feature vectors: a linear map, plus the projection <e(c), features> where there is a condition.

    Args:
        features: entries of a feature vector.
        condition: what c is, for the projection; None for the linear map alone.
    """

    def __init__(self, features: int, condition: Labels | None = None) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 1)
        self.embedding = None if condition is None else _embedding(condition, features, features**-0.5)

    def forward(self, features: Tensor, c: Tensor | None = None) -> Tensor:
        """Scores `(B,)` of features `(B, features)`."""
        score: Tensor = self.linear(features).squeeze(1)
        if self.embedding is None:
            return score
        if c is None:
            raise ValueError("this network is conditional: call it with a condition c")
        projection: Tensor = (self.embedding(c) * features).sum(1)
        return score.float() + projection
