"""Draw how the smallest GAN trains under each method: `docs/images/dynamics.png`.

    python scripts/draw_dynamics.py

The field of the Dirac-GAN and gradient descent in it, computed by `zerosum.diagnostics`, with the eigenvalues of its
Jacobian at the equilibrium. It is explained in `docs/guides/non-convergence.md`.
"""

from pathlib import Path

import torch
from PIL import Image

from zerosum.diagnostics import TinyGame, dirac_gan, portrait
from zerosum.objectives import Minimax, NonSaturating, Wasserstein
from zerosum.terms import R1, GradientPenalty, WeightClip

TARGET = Path(__file__).parents[1] / "docs" / "images" / "dynamics.png"
COLUMNS, SIDE = 4, 440
STEPS, RATE = 400, 0.1
# Game, and whether the players step one after the other.
GAMES: dict[str, tuple[TinyGame, bool]] = {
    "minimax": (dirac_gan(Minimax()), True),
    "non-saturating": (dirac_gan(NonSaturating()), True),
    "the same, both steps at once": (dirac_gan(NonSaturating()), False),
    "Wasserstein, clipped": (dirac_gan(Wasserstein(), d_after=WeightClip(1.0)), True),
    "Wasserstein, gradient norm to 1": (dirac_gan(Wasserstein(), GradientPenalty(1.0)), True),
    "instance noise": (dirac_gan(NonSaturating(), noise=1.0), True),
    "R1": (dirac_gan(NonSaturating(), R1(0.5)), True),
    "consensus": (dirac_gan(NonSaturating(), consensus=1.0), True),
}


def eigenvalues(game: TinyGame) -> str:
    """The eigenvalues at the equilibrium as text; empty where the field has a kink there."""
    if any(isinstance(term, GradientPenalty) for term in game.d_terms):
        return ""
    pair = game.eigenvalues()
    real, imaginary = float(pair.real.mean()) + 0.0, float(pair.imag.abs().max())
    return f": {real:.2f} ± {imaginary:.2f} i" if abs(real) > 1e-9 else f": ± {imaginary:.2f} i"


def drawn() -> Image.Image:
    """All games, side by side."""
    rows = -(-len(GAMES) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * SIDE, rows * SIDE), "white")
    for place, (name, (game, alternating)) in enumerate(GAMES.items()):
        title = name + eigenvalues(game)
        image = portrait(game, steps=STEPS, rate=RATE, alternating=alternating, title=title, side=SIDE)
        sheet.paste(image, (place % COLUMNS * SIDE, place // COLUMNS * SIDE))
    return sheet


def main() -> None:
    """Draw and save the picture."""
    torch.set_num_threads(1)
    drawn().quantize(64).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
