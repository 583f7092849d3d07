"""Plots of tiny games: the field of training, and where it leads."""

__all__ = ["portrait"]

from collections.abc import Sequence

import torch
from PIL import Image

from zerosum.diagnostics.tiny_games import TinyGame
from zerosum.plots.points import vector_field

_STARTS = ((1.2, 0.0),)
_ARROWS = 15  # in each direction


def portrait(
    game: TinyGame,
    starts: Sequence[Sequence[float]] = _STARTS,
    steps: int = 200,
    rate: float = 0.1,
    alternating: bool = True,
    title: str = "",
    reach: float = 2.0,
    side: int = 480,
) -> Image.Image:
    """Draw the field of a tiny game as arrows, and gradient descent from some starts over it.

    Args:
        game: the game.
        starts: points (theta, psi) at which descent begins.
        steps: number of steps from each.
        rate: learning rate of both players.
        alternating: whether G sees what D has just learned, as in `TinyGame.trajectory`.
        title: text above.
        reach: theta and psi are shown from -reach to reach.
        side: height and width in pixels.
    """
    ticks = torch.linspace(-reach, reach, _ARROWS, dtype=torch.float64)
    places = torch.cartesian_prod(ticks, ticks)
    paths = [game.trajectory(start, steps, rate, alternating).numpy() for start in starts]
    return vector_field(places.numpy(), game.field(places).numpy(), paths, ("theta", "psi"), title, side)
