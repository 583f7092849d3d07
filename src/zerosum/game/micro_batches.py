"""Gradient accumulation over micro-batches: which parts allow it, and one turn from those of all micro-batches."""

__all__ = ["SeesWholeBatch"]

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from zerosum.game.judgement import Judgement
from zerosum.game.random import Draws
from zerosum.game.turn import Turn


@runtime_checkable
class SeesWholeBatch(Protocol):
    """A part whose value for a batch is not the mean of its values for the micro-batches."""

    @property
    def whole_batch(self) -> str:
        """What it does with a batch and cannot do with a micro-batch, with a layer's name; empty for nothing."""
        ...


def whole_batch_reasons(part: object) -> Iterator[str]:
    """Why a part, or one within it, needs the whole batch, a clause each; nothing where batches may be split."""
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
    """The turn of a completed update, without its autograd graph."""
    past = replace(turn, x=turn.x.detach(), x_fake=turn.x_fake.detach())
    for name in ("real", "fake"):
        if name in vars(turn):
            setattr(past, name, _concatenated([getattr(turn, name)]))
    return past


def concatenated(turns: Sequence[Turn], draws: Draws) -> Turn:
    """The turn of a whole batch from those of its micro-batches, with D's judgements."""
    first = turns[0]
    c = None if first.c is None else torch.cat([t.c for t in turns if t.c is not None])
    x, x_fake, z = (torch.cat(rows) for rows in zip(*((t.x, t.x_fake, t.z) for t in turns), strict=True))
    whole = replace(first, x=x, x_fake=x_fake, z=z, c=c, draws=draws)
    for name in ("real", "fake"):
        if name in vars(first):
            setattr(whole, name, _concatenated([getattr(turn, name) for turn in turns]))
    return whole


def _concatenated(judgements: Sequence[Judgement]) -> Judgement:
    """The judgement of all samples, without maps: those of a whole batch are what micro-batches save the memory of."""

    def rows(name: str) -> Tensor | None:
        found = [getattr(judgement, name) for judgement in judgements]
        return None if found[0] is None else torch.cat([one.detach() for one in found])

    score = rows("score")
    assert score is not None
    return Judgement(score, rows("features"), rows("logits"), rows("sides"), rows("embedding"))
