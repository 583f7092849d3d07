"""The section on memory: generated samples beside the training images nearest to them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.report._html import Section, figure, joined, prose, tile
from zerosum.runs.generator import TrainedGenerator

_PAIRS = 12
_QUERIES, _PROBES = 240, 500
_IMAGES, _VALUES = 10_000, 32_000_000  # training images compared with, and numbers in all of them, at most
_BLOCK = 500


@dataclass(frozen=True, eq=False)
class Neighbours:
    """For each query, the index of the nearest reference and the Euclidean distance to it, both `(n,)`."""

    index: Tensor
    distance: Tensor


def nearest(queries: Tensor, references: Tensor, own: Tensor | None = None) -> Neighbours:
    """Find the nearest of uint8 references `(m, d)` for each of uint8 queries `(n, d)`, with values read as 0..1.

    `own` `(n,)`, where given, is each query's own index among the references, which does not count. The search is
    exact: squared distances of bytes are integers, which float64 holds without rounding.
    """
    asked = queries.double()
    least = torch.full((len(queries),), torch.inf, dtype=torch.float64)
    index = torch.zeros(len(queries), dtype=torch.int64)
    for start in range(0, len(references), _BLOCK):
        block = references[start : start + _BLOCK].double()
        # |a - b|^2 = |a|^2 - 2 a.b + |b|^2
        squared = torch.addmm(block.square().sum(1)[None], asked, block.T, alpha=-2) + asked.square().sum(1)[:, None]
        if own is not None:
            here = (own >= start) & (own < start + len(block))
            squared[here, own[here] - start] = torch.inf
        value, place = squared.min(1)
        index = torch.where(value < least, place + start, index)
        least = torch.minimum(value, least)
    return Neighbours(index, least.sqrt() / 255)


def memory(generator: TrainedGenerator, dataset: Dataset) -> Section:
    """Return twelve samples above their nearest training images, with distances and a yardstick for them."""
    samples = torch.from_numpy(generator.sample(_QUERIES).astype(np.uint8)).permute(0, 3, 1, 2)
    if samples.shape[1:] != dataset.shape:
        raise ValueError(f"samples have the shape {tuple(samples.shape[1:])}, but training images {dataset.shape}")
    count = max(2, min(_IMAGES, _VALUES // int(np.prod(dataset.shape))))
    indices = evenly(len(dataset), count)
    training = dataset.read(indices)
    found = nearest(samples.flatten(1), training.flatten(1))
    pairs = [
        _pair(channels_last(samples[n]), channels_last(training[found.index[n]]), float(found.distance[n]))
        for n in range(_PAIRS)
    ]
    words = (
        "Twelve samples, each above the training image nearest to it, and the distance between the two: Euclidean, "
        "over pixel values in 0 to 1 (as in figure 2 of Goodfellow et al., 2014). A generator that recites its "
        "training set would show the same picture twice, at a distance near 0."
    )
    body = prose(words) + f'\n<div class="pairs">{joined(pairs)}</div>\n' + prose(_yardstick(found, training))
    if len(indices) < len(dataset):
        body += prose(f"Compared with {len(indices):,} of {len(dataset):,} training images, evenly chosen.")
    return Section("memory", "Not memorised?", body)


def evenly(total: int, count: int) -> Tensor:
    """Return at most `count` indices below `total`, evenly spread, without repetition."""
    return torch.arange(min(total, count)) * total // min(total, count)


def channels_last(image: Tensor) -> NDArray[np.uint8]:
    """Turn an image (C, H, W) into an array (H, W, C)."""
    return image.permute(1, 2, 0).contiguous().numpy()


def _yardstick(found: Neighbours, training: Tensor) -> str:
    """Say how far samples lie from training images, and how far these lie from each other."""
    words = f"Over {len(found.distance)} samples the median distance is {float(found.distance.median()):.2f}"
    if len(training) < 2:
        return f"{words}; there is but one training image to compare with."
    flat, probes = training.flatten(1), evenly(len(training), _PROBES)
    apart = float(nearest(flat[probes], flat, probes).distance.median())
    return f"{words}. As a yardstick, training images lie {apart:.2f} from their own nearest (median of {len(probes)})."


def _pair(sample: NDArray[np.uint8], neighbour: NDArray[np.uint8], distance: float) -> str:
    tiles = tile(sample, "generated") + tile(neighbour, "nearest training image")
    return figure(tiles, f"{distance:.2f}")
