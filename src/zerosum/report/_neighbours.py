"""The section on memorisation: generated samples with their nearest training images."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._arrays import evenly
from zerosum.data.dataset import Dataset
from zerosum.features.random_conv import RandomConv
from zerosum.report._html import Section, figure, joined, prose, tile
from zerosum.runs.generator import TrainedGenerator

_PAIRS = 12
_QUERIES, _PROBES = 240, 500
_IMAGES, _VALUES = 10_000, 32_000_000  # maximum number of training images, and of pixel values in total
_SEARCHED = 1_000  # training images whose features are compared, which costs more than pixels
_BLOCK = 500


@dataclass(frozen=True, eq=False)
class Neighbours:
    """For each query, the index of the nearest reference and the Euclidean distance to it, both `(n,)`."""

    index: Tensor
    distance: Tensor


def nearest(queries: Tensor, references: Tensor, own: Tensor | None = None) -> Neighbours:
    """Find the nearest of uint8 references `(m, d)` for each of uint8 queries `(n, d)`, with values scaled to 0..1.

    `own` `(n,)`, if given, is the index of each query among the references, which is excluded. The search is exact:
    squared distances of bytes are integers, which float64 represents exactly.
    """
    x = queries.double()
    smallest = torch.full((len(queries),), torch.inf, dtype=torch.float64)
    index = torch.zeros(len(queries), dtype=torch.int64)
    for start in range(0, len(references), _BLOCK):
        block = references[start : start + _BLOCK].double()
        # |a - b|^2 = |a|^2 - 2 a.b + |b|^2
        squared = torch.addmm(block.square().sum(1)[None], x, block.T, alpha=-2) + x.square().sum(1)[:, None]
        if own is not None:
            here = (own >= start) & (own < start + len(block))
            squared[here, own[here] - start] = torch.inf
        value, place = squared.min(1)
        index = torch.where(value < smallest, place + start, index)
        smallest = torch.minimum(value, smallest)
    return Neighbours(index, smallest.sqrt() / 255)


def memory(generator: TrainedGenerator, dataset: Dataset) -> Section:
    """Return twelve samples above their nearest training images, with distances and a reference distance."""
    samples = torch.from_numpy(generator.sample(_QUERIES).astype(np.uint8)).permute(0, 3, 1, 2)
    if samples.shape[1:] != dataset.shape:
        raise ValueError(f"samples have the shape {tuple(samples.shape[1:])}, but training images {dataset.shape}")
    count = max(2, min(_IMAGES, _VALUES // int(np.prod(dataset.shape))))
    indices = evenly(len(dataset), count)
    training = dataset.read(indices)
    found = nearest(samples.flatten(1), training.flatten(1))
    searched = evenly(len(training), _SEARCHED)
    alike = searched[nearest_in_features(samples[:_PAIRS], training[searched])]
    triples = zip(samples[:_PAIRS], training[found.index[:_PAIRS]], training[alike], strict=True)
    distances = found.distance[:_PAIRS].tolist()
    pairs = [
        _pair(channels_last(sample), channels_last(pixels), channels_last(features), distance)
        for (sample, pixels, features), distance in zip(triples, distances, strict=True)
    ]
    text = (
        "Twelve samples, each above its nearest training image in pixels, with their Euclidean distance over pixel "
        "values in 0 to 1 (as in figure 2 of Goodfellow et al., 2014), and above its nearest "
        f"of {len(searched):,} training images in the features of a random convolutional network. A generator that "
        "has memorised the training set would show the same image, at a distance near 0. Distances in pixels favour "
        "blurred images and miss a copy that is shifted or recoloured, so a large distance does not exclude "
        "memorisation; features bear small shifts, and are no proof either."
    )
    body = prose(text) + f'\n<div class="pairs">{joined(pairs)}</div>\n' + prose(_reference_distance(found, training))
    if len(indices) < len(dataset):
        body += prose(f"Compared with {len(indices):,} of {len(dataset):,} training images, evenly spaced.")
    return Section("memory", "Memorisation", body)


def nearest_in_features(queries: Tensor, references: Tensor) -> Tensor:
    """Find the reference nearest in the features of `RandomConv` for each query, `(n,)`; both uint8 `(N, C, H, W)`."""
    extract = RandomConv()
    features = [
        torch.cat([extract(_colours(block)).features for block in torch.split(images, _BLOCK)])
        for images in (queries, references)
    ]
    return torch.cdist(features[0].double(), features[1].double()).argmin(1)


def _colours(images: Tensor) -> Tensor:
    """Images `(N, C, H, W)` of any channels as the extractor takes them: `(N, H, W, 1 or 3)`."""
    return images[:, : 3 if images.shape[1] > 2 else 1].permute(0, 2, 3, 1).contiguous()


def channels_last(image: Tensor) -> NDArray[np.uint8]:
    """Convert an image (C, H, W) into an array (H, W, C)."""
    return image.permute(1, 2, 0).contiguous().numpy()


def _reference_distance(found: Neighbours, training: Tensor) -> str:
    """Describe the median distance of samples to training images, and of training images to each other."""
    text = f"Over {len(found.distance)} samples, the median distance is {float(found.distance.median()):.2f}"
    if len(training) < 2:
        return f"{text}; there is only one training image to compare with."
    flat, probes = training.flatten(1), evenly(len(training), _PROBES)
    apart = float(nearest(flat[probes], flat, probes).distance.median())
    return f"{text}. For {len(probes)} training images, the median distance to their nearest is {apart:.2f}."


def _pair(sample: NDArray[np.uint8], pixels: NDArray[np.uint8], features: NDArray[np.uint8], distance: float) -> str:
    tiles = tile(sample, "generated") + tile(pixels, "nearest training image")
    tiles += tile(features, "nearest training image in features")
    return figure(tiles, f"{distance:.2f}")
