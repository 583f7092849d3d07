"""Diversity of samples against that of real ones."""

__all__ = ()

import torch
from torch import Tensor

from zerosum.diagnostics.signals._measures import nearest, spread, vectors
from zerosum.diagnostics.signals.subject import Subject


def diversity(subject: Subject) -> dict[str, Tensor]:
    """Pairwise distances, clusters and coverage, each over that of real samples."""
    real, found = subject.real, {}
    usual = _covered(real.features, real.radius, real.others_features)
    hit = _effective_clusters(real.others_features, real.centres)
    for suffix, samples in subject.both.items():
        found[f"spread{suffix}"] = samples.spread / real.spread
        found[f"spread_pixels{suffix}"] = spread(vectors(samples.x)) / real.pixel_spread
        found[f"coverage{suffix}"] = _covered(real.features, real.radius, samples.features) / usual
        found[f"clusters{suffix}"] = _effective_clusters(samples.features, real.centres) / hit
    centre, generated = real.pixels.mean(0), vectors(subject.average.x)
    found["mean_distance"] = (generated - centre).norm(dim=1).mean() / real.pixel_distance
    found["offset"] = (generated.mean(0) - centre).norm() / real.pixel_distance
    return found


def _covered(real: Tensor, radius: Tensor, samples: Tensor) -> Tensor:
    """Share of real samples within whose radius there is a sample."""
    return (nearest(real, samples) <= radius).float().mean()


def _effective_clusters(x: Tensor, centres: Tensor) -> Tensor:
    """The exponential of the entropy of the clusters of x."""
    shares = torch.bincount(torch.cdist(x, centres).argmin(1), minlength=len(centres)).float() / len(x)
    entropy: Tensor = torch.special.entr(shares).sum()
    return entropy.exp()
