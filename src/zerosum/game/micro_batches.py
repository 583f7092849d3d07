"""A batch in pieces: gradients are taken of one piece after another, and whoever watches sees the batch whole."""

__all__ = ["Batch", "SeesWholeBatch"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from zerosum.game.judgement import Judgement
from zerosum.game.random import Draws
from zerosum.game.turn import Turn


@dataclass(frozen=True, eq=False)
class Batch:
    """Real samples x `(B, ...)`, their condition c or None, and their position in the stream of all samples.

    A piece is the rows of `part` among `parts` equal ones.
    """

    x: Tensor
    c: Tensor | None
    position: int
    part: int = 0
    parts: int = 1

    def pieces(self, size: int | None) -> Sequence["Batch"]:
        """Pieces of so many samples, or the batch as it is for None; raises `ValueError` where it does not divide."""
        if size is None:
            return [self]
        parts, left = divmod(len(self.x), size)
        if left:
            raise ValueError(f"a batch of {len(self.x)} samples does not divide into micro-batches of {size}")
        conditions = [None] * parts if self.c is None else torch.split(self.c, size)
        rows = zip(torch.split(self.x, size), conditions, strict=True)
        return [Batch(x, c, self.position, part, parts) for part, (x, c) in enumerate(rows)]


@runtime_checkable
class SeesWholeBatch(Protocol):
    """A part whose value for a batch is not the mean of its values for pieces of it."""

    @property
    def whole_batch(self) -> str:
        """What it does with a batch and cannot do with a piece, of a layer with its name; empty for nothing."""
        ...


def whole_batch_reasons(part: object) -> Iterator[str]:
    """Why a part, or one within it, has to see a batch whole, a clause each; nothing where batches may be split."""
    if isinstance(part, SeesWholeBatch) and part.whole_batch:
        yield part.whole_batch if isinstance(part, nn.Module) else f"{type(part).__name__} {part.whole_batch}"
    elif isinstance(part, _BatchNorm):
        yield "batch norm takes its mean and variance over the batch"
    if isinstance(part, nn.Module):
        inner: Sequence[object] = [*part.children()]
    elif is_dataclass(part):
        inner = [getattr(part, f.name) for f in fields(part)]
    else:
        inner = part if isinstance(part, tuple) else ()
    for one in inner:
        yield from whole_batch_reasons(one)


def detached(turn: Turn) -> Turn:
    """A turn that has been played, without the graph that its gradients were taken through."""
    past = replace(turn, x=turn.x.detach(), x_fake=turn.x_fake.detach())
    for name in ("real", "fake"):
        if name in vars(turn):
            setattr(past, name, _joined([getattr(turn, name)]))
    return past


def joined(turns: Sequence[Turn], draws: Draws) -> Turn:
    """The turn of a whole batch from those of its pieces, with what D said of them."""
    first = turns[0]
    c = None if first.c is None else torch.cat([t.c for t in turns if t.c is not None])
    x, x_fake, z = (torch.cat(rows) for rows in zip(*((t.x, t.x_fake, t.z) for t in turns), strict=True))
    whole = replace(first, x=x, x_fake=x_fake, z=z, c=c, draws=draws)
    for name in ("real", "fake"):
        if name in vars(first):
            setattr(whole, name, _joined([getattr(turn, name) for turn in turns]))
    return whole


def _joined(judgements: Sequence[Judgement]) -> Judgement:
    def rows(name: str) -> Tensor | None:
        found = [getattr(judgement, name) for judgement in judgements]
        return None if found[0] is None else torch.cat([one.detach() for one in found])

    score = rows("score")
    assert score is not None
    return Judgement(score, rows("features"), rows("logits"), rows("sides"))
