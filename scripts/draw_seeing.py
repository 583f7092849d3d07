"""Draw moments of games whose densities are known: `docs/images/seeing-line.png` and `docs/images/seeing-plane.png`.

    python scripts/draw_seeing.py [FOLDER]

It trains the recipes below in FOLDER, or in a temporary one, and draws frames of their films (`zerosum watch`). They
are explained in `docs/guides/seeing-the-game.md`. A run that is complete in FOLDER is drawn as it is.
"""

import sys
import tempfile
from pathlib import Path

import torch
from PIL import Image

import zerosum
from zerosum.diagnostics import film
from zerosum.diagnostics.scenes import film_images

IMAGES = Path(__file__).parents[1] / "docs" / "images"
# Recipe, length of the run in images, the images seen at the moments shown, and how many are in a row.
LINE = ("gaussian", 1_000_000, (16_384, 27_648, 155_904, 1_000_192), 4)
PLANE = ("r1", 65_536, (8_192, 23_296, 65_536), 1)
SHEETS = {"seeing-line.png": LINE, "seeing-plane.png": PLANE}


def drawn(run: zerosum.Run, moments: tuple[int, ...], columns: int) -> Image.Image:
    """Frames of a run, those next to these numbers of images, in rows."""
    found = film(run)
    if found is None:
        raise ValueError(f"{run} has no frames")
    seen = [frame.images for frame in found.frames]
    places = [min(range(len(seen)), key=lambda n: abs(seen[n] - wanted)) for wanted in moments]
    frames = film_images(found, places)
    width, height = frames[0].size
    sheet = Image.new("RGB", (width * columns, height * -(-len(frames) // columns)), "white")
    for place, frame in enumerate(frames):
        sheet.paste(frame, (place % columns * width, place // columns * height))
    return sheet


def main(folder: Path) -> None:
    """Train, draw and save."""
    torch.set_num_threads(1)
    for name, (recipe, images, moments, columns) in SHEETS.items():
        run = zerosum.train(recipe, folder / recipe, images=images)
        drawn(run, moments, columns).quantize(128).save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
