"""Partition of a feature space into cells by k-means."""

import torch
from torch import Tensor

from zerosum.metrics._distances import nearest, of_pairs
from zerosum.metrics._features import exact, in_chunks

_ITERATIONS = 50


def k_means(points: Tensor, cells: int, seed: int) -> Tensor:
    """Centres of cells `(cells, d)`, float64: Lloyd's algorithm from a k-means++ start (Arthur and Vassilvitskii 2007).

    It stops when no point changes its cell, or after 50 iterations. The centre of an empty cell is kept.
    """
    draw = torch.Generator().manual_seed(seed)
    every = torch.arange(len(points), device=points.device)
    chosen = [int(torch.randint(len(points), (1,), generator=draw))]
    nearest_so_far = torch.full((len(points),), torch.inf, dtype=torch.float64)
    while len(chosen) < cells:
        apart = of_pairs(points, points, every, torch.full_like(every, chosen[-1])).cpu()
        nearest_so_far = torch.minimum(nearest_so_far, apart)
        weight = nearest_so_far if float(nearest_so_far.sum()) > 0 else torch.ones_like(nearest_so_far)
        chosen.append(int(torch.multinomial(weight, 1, generator=draw)))
    centres = exact(points[torch.tensor(chosen, device=points.device)])
    before = torch.full((len(points),), -1, device=centres.device)
    for _ in range(_ITERATIONS):
        cell = nearest(points, centres, 1)[1][:, 0]
        if bool((cell == before).all()):
            break
        before, sums = cell, torch.zeros_like(centres)
        for start, part in in_chunks(points):
            sums.index_add_(0, cell[start : start + len(part)], part)
        counts = cell.bincount(minlength=cells)[:, None]
        centres = torch.where(counts > 0, sums / counts, centres)
    return centres
