"""Write `golden.npz`: small sets of features, and their scores by NumPy and exact fractions, without this package.

python tests/metrics/golden_sets.py
"""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("golden.npz")


def sets():
    """Pairs of sets of multiples of 1/16, so that distances and kernels are exact."""
    draw = np.random.default_rng(17)

    def drawn(n, d, spread=1.0, shift=0.0):
        return np.round(16 * (draw.normal(size=(n, d)) * spread + shift)) / 16

    same = drawn(16, 4)
    heavy = np.round(16 * draw.standard_t(2, size=(2, 15, 3))) / 16
    return {
        "shifted": (drawn(16, 4), drawn(14, 4, 0.75, 0.5)),
        "same": (same, same[::-1].copy()),
        "fewer_than_dims": (drawn(8, 11), drawn(9, 11, 1.5)),
        "collapsed": (drawn(16, 3), np.repeat(drawn(2, 3), 6, 0)),
        "heavy_tails": (heavy[0], heavy[1]),
        "large_offset": (drawn(16, 4, shift=4096), drawn(14, 4, 1.25, shift=4096.5)),
    }


def frechet(x, y):
    """By the eigenvalues of the product of the covariances, and by the roots of both from their eigenvectors."""
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    rest = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b)
    roots = []
    for covariance in (a, b):
        values, vectors = np.linalg.eigh(covariance)
        roots.append(vectors * np.sqrt(values.clip(0)) @ vectors.T)
    by_values = np.sqrt(np.linalg.eigvals(a @ b).real.clip(0)).sum()
    return rest - 2 * by_values, rest - 2 * np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()


def exact(x):
    return [[Fraction(value) for value in row] for row in x.tolist()]


def kernel(x, y):
    """The unbiased cubic kernel distance, in fractions."""

    def mean(p, q, same):
        d = len(p[0])
        pairs = [(u, v) for i, u in enumerate(p) for j, v in enumerate(q) if not same or i != j]
        return sum((sum(s * t for s, t in zip(u, v, strict=True)) / d + 1) ** 3 for u, v in pairs) / len(pairs)

    x, y = exact(x), exact(y)
    return float(mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False))


def apart(x, y):
    return [[sum((s - t) ** 2 for s, t in zip(u, v, strict=True)) for v in y] for u in x]


def neighbours(x, y, k):
    """Precision and recall with closed balls, density and coverage with open ones, by exact squared distances."""
    x, y = exact(x), exact(y)

    def radii(points):
        rows = apart(points, points)
        return [sorted(row[:i] + row[i + 1 :])[k - 1] for i, row in enumerate(rows)]

    between, real, fake = apart(x, y), radii(x), radii(y)
    n, m = len(x), len(y)
    inside = [[between[i][j] < real[i] for j in range(m)] for i in range(n)]
    return {
        "precision": sum(any(between[i][j] <= real[i] for i in range(n)) for j in range(m)) / m,
        "recall": sum(any(between[i][j] <= fake[j] for j in range(m)) for i in range(n)) / n,
        "density": sum(map(sum, inside)) / (k * m),
        "coverage": sum(map(any, inside)) / n,
    }


def inception(logits):
    """exp E KL(p(y|x) || p(y)), by sums of logarithms."""
    p = [[math.exp(value) for value in row] for row in logits.tolist()]
    p = [[value / math.fsum(row) for value in row] for row in p]
    marginal = [math.fsum(column) / len(p) for column in zip(*p, strict=True)]
    return math.exp(math.fsum(q * math.log(q / m) for row in p for q, m in zip(row, marginal, strict=True)) / len(p))


def golden():
    """Sets, logits and scores by name."""
    made = {}
    for name, (x, y) in sets().items():
        made |= {f"{name}/real": x, f"{name}/fake": y}
        made[f"{name}/fid"], made[f"{name}/fid_sqrtm"] = frechet(x, y)
        made[f"{name}/kid_n"] = min(len(x), len(y))
        made[f"{name}/kid_all"] = kernel(*(side[: made[f"{name}/kid_n"]] for side in (x, y)))
        for k in (3, 5):
            made |= {f"{name}/{score}_k{k}": value for score, value in neighbours(x, y, k).items()}
    logits = np.random.default_rng(18).normal(size=(20, 5)) * 3
    return {**made, "logits": logits, "inception_score": inception(logits)}


def write():
    """Write the file: arrays by name, and all scores in one array, since each entry of an archive takes 300 bytes."""
    made = golden()
    scores = {name: value for name, value in made.items() if np.ndim(value) == 0}
    arrays = {name: value for name, value in made.items() if name not in scores}
    np.savez_compressed(FILE, scores=np.array([*scores.values()], np.float64), names=np.array([*scores]), **arrays)


def read(path):
    """The content of such a file, or of one with an entry for each score."""
    with np.load(path, allow_pickle=False) as archive:
        made = {name: archive[name] for name in archive.files}
    scores = dict(zip(made.pop("names", ()), made.pop("scores", ()), strict=True))
    return made | scores


if __name__ == "__main__":
    write()
