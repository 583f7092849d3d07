"""Results reported in papers for the data sets of the benchmarks."""

__all__ = ()

from dataclasses import dataclass


@dataclass(frozen=True)
class Reported:
    """A result from a paper: modes found, and, if reported, the KL divergence from the true distribution over modes."""

    method: str
    found: float
    kl: float | None
    source: str


_PACGAN, _VEEGAN = "PacGAN, arXiv 1712.04086", "VEEGAN, arXiv 1705.07761"


def reported(task: str) -> tuple[Reported, ...]:
    """Results reported in papers for a task; empty for tasks of this library only."""
    return {
        "ring-8": (
            Reported("GAN", 6.3, None, _PACGAN),
            Reported("PacGAN4", 7.8, None, _PACGAN),
            Reported("GAN", 1, None, _VEEGAN),
            Reported("VEEGAN", 8, None, _VEEGAN),
        ),
        "grid-25": (
            Reported("GAN", 17.3, None, _PACGAN),
            Reported("PacGAN4", 24.8, None, _PACGAN),
            Reported("GAN", 3.3, None, _VEEGAN),
            Reported("VEEGAN", 24.6, None, _VEEGAN),
        ),
        "stacked-digits": (
            Reported("DCGAN", 99, None, _VEEGAN),
            Reported("ALI", 16, None, _VEEGAN),
            Reported("unrolled GAN", 48.7, None, _VEEGAN),
            Reported("VEEGAN", 150, None, _VEEGAN),
            Reported("PacDCGAN", 1000, None, _PACGAN),
            Reported("R3GAN's loss", 1000, 0.029, "R3GAN, arXiv 2501.05441"),
        ),
    }.get(task, ())
