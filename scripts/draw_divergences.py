"""Draw divergences and distances of two distributions that drift apart: `docs/images/divergences.png`.

    python scripts/draw_divergences.py

All values are computed by the library, for two distributions in one dimension: boxes, which end with no outcome in
common, and Gaussians, which always overlap. The page on it is `docs/divergences.md`.
"""

import io
import math
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from zerosum.metrics.divergences import cross_entropy, entropy, js_divergence, kl_divergence
from zerosum.metrics.frechet import frechet_distance
from zerosum.metrics.kernel import kernel_distance
from zerosum.metrics.wasserstein import wasserstein_1d
from zerosum.objectives.kernel import MMD, GaussianKernel

TARGET = Path(__file__).parents[1] / "docs" / "images" / "divergences.png"
BIN = 0.05  # the width of an outcome, in units of the drift
FURTHEST = 3.0
DRIFTS = torch.arange(round(FURTHEST / BIN) + 1) * BIN
POINTS = 400  # samples for the measures that take samples: at evenly spaced levels, without sampling noise
DISTRIBUTIONS = {"boxes of width 1": "box", "Gaussians of standard deviation ½": "gaussian"}
# Each measure's colour, and where its name stands beside its curve: drift, height.
ON_OUTCOMES = {
    "H(q)": ("#6b7076", 2.6, 3.28),
    "H(p, q)": ("#6d7f3a", 0.1, 4.35),
    "KL(p ‖ q)": ("#c05f2b", 1.6, 4.4),
    "JS(p, q)": ("#2b6c99", 1.5, 0.2),
}
ON_POSITIONS = {
    "W₁": ("#2b6c99", 2.6, 2.1),
    "Frechet": ("#c05f2b", 2.2, 4.3),
    "KID": ("#6d7f3a", 0.9, 4.4),
    "MMD²": ("#6b7076", 2.6, 0.72),
}
DRAWN = (0.0, 0.5, 2.0)  # drifts at which the distributions are drawn
TOP = 5.0  # where the frames of the curves end


def places() -> Tensor:
    """The middles of the outcomes, `(K,)`."""
    return torch.arange(-4.0, FURTHEST + 4, BIN, dtype=torch.float64) + BIN / 2


def distribution(kind: str, drift: float) -> Tensor:
    """The probability of each outcome when the distribution has moved by `drift`, `(K,)`."""
    x = places() - drift
    mass = (x.abs() < 0.5).double() if kind == "box" else torch.exp(-2 * x.square())
    return mass / mass.sum()


def samples(kind: str, drift: float) -> Tensor:
    """Points of the distribution as features `(POINTS, 1)`, evenly spaced in probability."""
    levels = (torch.arange(POINTS, dtype=torch.float64) + 0.5) / POINTS
    still = levels - 0.5 if kind == "box" else torch.special.ndtri(levels) / 2
    return (still + drift)[:, None]


def measured(kind: str, drift: float) -> dict[str, float]:
    """Every measure between p and q, which is p moved by the drift, by name; in nats and units of the drift."""
    p, q = distribution(kind, 0.0), distribution(kind, drift)
    here, there = samples(kind, 0.0), samples(kind, drift)
    return {
        "H(q)": entropy(q),
        "H(p, q)": cross_entropy(p, q),
        "KL(p ‖ q)": kl_divergence(p, q),
        "JS(p, q)": js_divergence(p, q),
        "W₁": wasserstein_1d(places(), places(), p, q),
        "Frechet": frechet_distance(here, there),
        "KID": kernel_distance(here, there).value,
        "MMD²": float(MMD(GaussianKernel((0.5,))).g_loss(there, here)),
    }


def draw() -> Image.Image:
    """Return the image: a column per kind: densities, measures of outcomes, measures of positions."""
    import matplotlib.pyplot as plt

    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#9aa0a6"}
    with plt.rc_context(style):
        figure, axes = plt.subplots(3, 2, figsize=(7.6, 7.2), height_ratios=(1, 2, 2), sharex="row", sharey="row")
        for (title, kind), (densities, outcomes, positions) in zip(DISTRIBUTIONS.items(), axes.T, strict=True):
            draw_densities(densities, kind)
            densities.set_title(title, fontsize=10)
            found = [measured(kind, float(drift)) for drift in DRIFTS]
            draw_curves(outcomes, ON_OUTCOMES, found)
            draw_curves(positions, ON_POSITIONS, found)
            positions.set_xlabel("drift")
        axes[1, 0].set_ylabel("of outcomes, in nats")
        axes[2, 0].set_ylabel("of positions")
        for axis in axes[1]:
            axis.axhline(math.log(2), color="#9aa0a6", lw=0.8, ls=":")
            axis.text(0.06, math.log(2) + 0.08, "log 2", color="#6b7076")
        axes[1, 0].annotate("KL and cross-entropy: infinite\nas soon as the boxes part", (0.0, TOP), (0.35, 4.1),
                            arrowprops={"arrowstyle": "->", "color": "#c05f2b"}, color="#c05f2b")  # fmt: skip
        figure.tight_layout()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110)
        plt.close(figure)
    return Image.open(buffer).convert("RGB")


def draw_densities(axis: Any, kind: str) -> None:
    """Draw the density of p, and of q at some drifts, paler the larger the drift."""
    for drift, strength in zip(DRAWN, (1.0, 0.6, 0.35), strict=True):
        density = distribution(kind, drift) / BIN
        axis.fill_between(
            places(), density, step="mid", color="#2b6c99" if drift == 0 else "#c05f2b", alpha=strength / 2
        )
        axis.text(drift, float(density.max()) * 1.05, f"{drift:g}" if drift else "p", ha="center", color="#6b7076")
    axis.set(xlim=(-1.5, 4), yticks=[])
    axis.margins(y=0.25)


def draw_curves(axis: Any, kinds: dict[str, tuple[str, float, float]], found: list[dict[str, float]]) -> None:
    """Draw measures over the drift, as far as they are finite and in the frame."""
    for name, (colour, drift, height) in kinds.items():
        values = [one[name] for one in found]
        axis.plot(DRIFTS, values, color=colour, lw=1.8)
        if math.isfinite(values[-1]):
            axis.text(drift, height, name, color=colour)
    axis.set(xlim=(0, FURTHEST), ylim=(-0.15, TOP))
    axis.grid(color="#e6e3dc", lw=0.6)


def main() -> None:
    """Draw it and write it, in few colours."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    draw().quantize(64, dither=Image.Dither.NONE).save(TARGET, "PNG", optimize=True)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
