"""Draw the wall of images at the head of README: `docs/images/wall.png`.

    python scripts/draw_wall.py

It is put together from images that runs of ours have left in `docs`, tile by tile from their grids, none chosen: the
first of each. From top to bottom: emoji by R3GAN, StyleGAN2 and GAT, a row each; objects, faces and solids by the
relativistic GAN; stacked digits, digits of the class asked for, and 25 Gaussians with the generated points on them.
"""

from pathlib import Path

from PIL import Image

DOCS = Path(__file__).resolve().parent.parent / "docs"
TARGET = DOCS / "images" / "wall.png"
SIDE, GAP, COLUMNS = 64, 2, 24
STEP = SIDE + GAP


def tiles(name: str, side: int = SIDE, tops: tuple[int, ...] = ()) -> list[list[Image.Image]]:
    """Return the tiles of a committed image row by row, `side` pixels each; `tops` of rows in pixels, where uneven."""
    with Image.open(DOCS / f"{name}.png") as image:
        whole = image.convert("RGB")
    tops = tops or tuple(range(GAP, whole.height - side, side + GAP))
    lefts = range(GAP, whole.width - side, side + GAP)
    return [[whole.crop((x, y, x + side, y + side)) for x in lefts] for y in tops]


def wall() -> Image.Image:
    """Return the wall: rows of tiles, and a scatter at the lower right."""
    emoji = [
        [*top, *bottom] for top, bottom in (tiles(f"images/emoji-{name}") for name in ("r3gan", "stylegan2", "gat"))
    ]
    objects, faces, solids = tiles("images/probe-samples", tops=(2, 218, 290))
    stacked = tiles("gallery/stacked-mnist", 56)[:5]
    digits = tiles("images/digits", 56)[:5]
    lower = [left[:9] + right[:10] for left, right in zip(stacked, digits, strict=True)]
    rows = [*emoji, objects[:4] + faces[:10] + solids[:10], *lower]
    image = Image.new("RGB", (COLUMNS * STEP - GAP, len(rows) * STEP - GAP), "white")
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            image.paste(tile.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (x * STEP, y * STEP))
    with Image.open(DOCS / "gallery" / "grid.png") as scatter:
        plot, side = scatter.convert("RGB").crop((52, 4, 716, 668)), 5 * STEP - GAP  # without its axes
        image.paste(plot.resize((side, side), Image.Resampling.LANCZOS), (19 * STEP, 4 * STEP))
    return image


def main() -> None:
    """Write the wall, in 256 colours."""
    TARGET.parent.mkdir(exist_ok=True)
    wall().quantize(256, dither=Image.Dither.NONE).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
