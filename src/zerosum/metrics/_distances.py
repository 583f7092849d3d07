"""Pairwise distances between sets of features, in blocks of bounded memory, exact where rounding could matter."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.metrics._features import AT_ONCE, chunk_rows, exact, mean

_ROWS, _COLUMNS = 1024, 2048
_ROUNDING = 1e-12  # rounding error of a squared distance, relative to the squared norms
_SPARE = 4  # candidate neighbours beyond k


@dataclass(frozen=True, eq=False)
class Block:
    """Squared distances between some rows of one set and some rows of another.

    Attributes:
        first, second: the two sets, `(N, d)` and `(M, d)`.
        rows, columns: which rows of each.
        squared: `|x|^2 + |y|^2 - 2 x.y`, float64, with a rounding error up to `rounding`.
        rounding: of the same shape.
    """

    first: Tensor
    second: Tensor
    rows: slice
    columns: slice
    squared: Tensor
    rounding: Tensor

    def exact(self, row: Tensor, column: Tensor) -> Tensor:
        """Squared distances of pairs of this block, `(p,)`, from the differences."""
        return of_pairs(self.first, self.second, row + self.rows.start, column + self.columns.start)


def blocks(first: Tensor, second: Tensor) -> Iterator[Block]:
    """The distances between all rows of two sets; blocks of the same rows follow each other."""
    centre = mean(second)  # leaves distances unchanged and avoids cancellation far from the origin
    rows, columns = min(_ROWS, chunk_rows(first)), min(_COLUMNS, 2 * chunk_rows(first))
    for i in range(0, len(first), rows):
        x = exact(first[i : i + rows]) - centre
        norm_x = x.square().sum(1)[:, None]
        for j in range(0, len(second), columns):
            y = exact(second[j : j + columns]) - centre
            norms = norm_x + y.square().sum(1)
            squared = torch.addmm(norms, x, y.T, alpha=-2).clamp_min_(0)
            yield Block(first, second, slice(i, i + len(x)), slice(j, j + len(y)), squared, norms.mul_(_ROUNDING))


def of_pairs(first: Tensor, second: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Squared distances of pairs of rows, `(p,)`, from the differences: symmetric, and 0 for equal rows."""
    at_once = max(1, AT_ONCE // first.shape[1])
    found = [
        (exact(first[row[p : p + at_once]]) - exact(second[column[p : p + at_once]])).square().sum(1)
        for p in range(0, max(len(row), 1), at_once)
    ]
    return torch.cat(found)


def nearest(queries: Tensor, references: Tensor, k: int, among: bool = False) -> tuple[Tensor, Tensor]:
    """Squared distances to the k nearest references and their indices, `(N, k)` each, the nearest first.

    With `among`, the queries are the references, and no row is its own neighbour.
    """
    count = min(k + _SPARE, len(references) - among)
    values: list[Tensor] = []
    indices: list[Tensor] = []
    for block in blocks(queries, references):
        if among:
            own = torch.arange(block.rows.start, block.rows.stop, device=block.squared.device) - block.columns.start
            (mine,) = ((own >= 0) & (own < block.squared.shape[1])).nonzero(as_tuple=True)
            block.squared[mine, own[mine]] = torch.inf
        value, index = block.squared.topk(min(count, block.squared.shape[1]), largest=False)
        index = index + block.columns.start
        if block.columns.start:
            value, index = torch.cat([values.pop(), value], 1), torch.cat([indices.pop(), index], 1)
            value, best = value.topk(min(count, value.shape[1]), largest=False)
            index = index.gather(1, best)
        values.append(value)
        indices.append(index)
    candidates = torch.cat(indices)
    rows = torch.arange(len(queries), device=candidates.device)[:, None].expand_as(candidates)
    apart = of_pairs(queries, references, rows.flatten(), candidates.flatten()).view_as(candidates)
    order = apart.argsort(dim=1, stable=True)[:, :k]
    return apart.gather(1, order), candidates.gather(1, order)


def radii(points: Tensor, k: int) -> Tensor:
    """The squared distance of each point `(N, d)` to the k-th nearest of the others, float64 `(N,)`."""
    return nearest(points, points, k, among=True)[0][:, -1]
