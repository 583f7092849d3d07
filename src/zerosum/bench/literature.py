"""What papers report for the sets of the benches, to be read beside our own numbers."""

__all__ = ()

from dataclasses import dataclass


@dataclass(frozen=True)
class Reported:
    """A number from a paper: modes found, and the divergence from the true law over modes where it is told."""

    method: str
    found: float
    kl: float | None
    source: str


_PACGAN, _VEEGAN = "PacGAN, arXiv 1712.04086", "VEEGAN, arXiv 1705.07761"


def reported(task: str) -> tuple[Reported, ...]:
    """What papers report for a board; nothing for sets that are ours alone."""
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
