"""Pairwise distances between sets of features, in blocks of bounded memory, exact where rounding could matter."""

from collections.abc import Iterator, Sequence
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
    _, candidates = _candidates(queries, references, min(k + _SPARE, len(references) - among), 0 if among else None)
    return _first(queries, references, candidates, k)


def _candidates(queries: Tensor, references: Tensor, count: int, own: int | None) -> tuple[Tensor, Tensor]:
    """The smallest squared distances, up to rounding, and the indices of these references, `(N, count)` each.

    Reference 0 is query `own`, if this is not None, and so on: no row is its own neighbour, its distance is infinite.
    """
    values: list[Tensor] = []
    indices: list[Tensor] = []
    for block in blocks(queries, references):
        if own is not None:
            column = torch.arange(block.rows.start, block.rows.stop, device=block.squared.device) - own
            column -= block.columns.start
            (mine,) = ((column >= 0) & (column < block.squared.shape[1])).nonzero(as_tuple=True)
            block.squared[mine, column[mine]] = torch.inf
        value, index = block.squared.topk(min(count, block.squared.shape[1]), largest=False)
        index = index + block.columns.start
        if block.columns.start:
            value, index = _smallest(torch.cat([values.pop(), value], 1), torch.cat([indices.pop(), index], 1), count)
        values.append(value)
        indices.append(index)
    return torch.cat(values), torch.cat(indices)


def _smallest(values: Tensor, indices: Tensor, count: int) -> tuple[Tensor, Tensor]:
    found, place = values.topk(min(count, values.shape[1]), largest=False)
    return found, indices.gather(1, place)


def _first(queries: Tensor, references: Tensor, candidates: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest of the candidates, by the differences."""
    rows = torch.arange(len(queries), device=candidates.device)[:, None].expand_as(candidates)
    apart = of_pairs(queries, references, rows.flatten(), candidates.flatten()).view_as(candidates)
    order = apart.argsort(dim=1, stable=True)[:, :k]
    return apart.gather(1, order), candidates.gather(1, order)


def radii(points: Tensor, k: int) -> Tensor:
    """The squared distance of each point `(N, d)` to the k-th nearest of the others, float64 `(N,)`."""
    return nearest(points, points, k, among=True)[0][:, -1]


def radii_without(points: Tensor, k: int, parts: Sequence[slice]) -> tuple[Tensor, Tensor]:
    """`radii`, and those without each of some parts of the points, which together are all of them.

    Returns:
        The radii `(N,)`, and up to rounding those without each part `(N, parts)`, -1 for the points of that part;
        `(N, 0)` if there is only one part.
    """
    found = [_candidates(points, points[part], min(k + _SPARE, part.stop - part.start), part.start) for part in parts]
    values = [value for value, _ in found]
    indices = torch.cat([index + part.start for (_, index), part in zip(found, parts, strict=True)], 1)
    _, candidates = _smallest(torch.cat(values, 1), indices, min(k + _SPARE, len(points) - 1))
    without = []
    for number, part in enumerate(parts if len(parts) > 1 else ()):
        radius = torch.cat([*values[:number], *values[number + 1 :]], 1).kthvalue(k, 1).values
        radius[part] = -1
        without.append(radius)
    left_out = torch.stack(without, 1) if without else values[0].new_empty(len(points), 0)
    return _first(points, points, candidates, k)[0][:, -1], left_out
