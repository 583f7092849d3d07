"""The section on the discriminator of points on the line, against the optimal one."""

import numpy as np
import torch
from numpy.typing import NDArray

from zerosum._arrays import evenly
from zerosum.data.dataset import Dataset
from zerosum.plots.curves import Curve, Level, line_chart
from zerosum.report._html import Section, figure, prose
from zerosum.runs.discriminator import TrainedDiscriminator
from zerosum.runs.generator import TrainedGenerator

_SAMPLES, _BINS = 50_000, 60


def discriminator(generator: TrainedGenerator, trained: TrainedDiscriminator, dataset: Dataset) -> Section:
    """Return D(x) over x, the optimal D, and how far the distribution of samples of one dimension is from the data's.

    The optimal discriminator of given densities is p(x) / (p(x) + q(x)) (Goodfellow et al. 2014, proposition 1); the
    densities are those of the data and of samples in equal bins.
    """
    real = dataset.read(evenly(len(dataset), _SAMPLES)).numpy()[:, 0].astype(np.float64)
    made = generator.sample(_SAMPLES)[:, 0].astype(np.float64)
    low, high = np.quantile(np.concatenate([real, made]), [0.001, 0.999])
    edges = np.linspace(low, max(high, low + 1e-9), _BINS + 1)
    p, q = (np.histogram(x, edges)[0] / len(x) for x in (real, made))
    x = (edges[1:] + edges[:-1]) / 2
    scores = trained(x[:, None].astype(np.float32)).reshape(len(x), -1).mean(1)
    d = torch.from_numpy(scores).double().sigmoid().numpy()
    seen = p + q > 0
    curves = [Curve(x, d, "D(x)"), Curve(x[seen], p[seen] / (p[seen] + q[seen]), "optimal D")]
    chart = line_chart(
        curves, (Level(0.5, "1/2"),), "x", "discriminator and optimal discriminator over x", from_zero=False
    )
    gap = float((np.abs(d - 0.5) * p).sum())
    distance, noise = kolmogorov_smirnov(real, made), kolmogorov_smirnov(*_halves(real)) / np.sqrt(2)
    text = (
        f"D over x, and the optimal D for these samples, p(x) / (p(x) + q(x)). At the equilibrium both are 1/2 "
        f"everywhere; the mean of |D(x) − 1/2| over the data is {gap:.3f}. V = −log 4 alone does not mean that the "
        f"distributions are equal: tails that the generator cuts off have too few points to change it. The largest "
        f"difference of the distribution functions (Kolmogorov-Smirnov distance) is {distance:.3f}; of as many real "
        f"points, about {noise:.3f}. The standard deviation of the samples is {made.std():.3f}, of the data "
        f"{real.std():.3f}; {np.mean((made < real.min()) | (made > real.max())):.2%} of the samples lie outside the "
        f"data, and {_outside(real, made):.2%} of the data outside the samples."
    )
    return Section("discriminator", "Discriminator and optimal discriminator", figure(chart, "", "map") + prose(text))


def kolmogorov_smirnov(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the largest difference of the empirical distribution functions of two samples `(n,)` and `(m,)`."""
    points = np.sort(np.concatenate([a, b]))
    first, second = (np.searchsorted(np.sort(x), points, side="right") / len(x) for x in (a, b))
    return float(np.abs(first - second).max())


def _outside(real: NDArray[np.float64], made: NDArray[np.float64]) -> float:
    return float(np.mean((real < made.min()) | (real > made.max())))


def _halves(real: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    order = np.random.default_rng(0).permutation(len(real))
    half = max(len(real) // 2, 1)
    return real[order[:half]], real[order[half:]] if len(real) > 1 else real
