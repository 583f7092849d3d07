"""How images and folders that zerosum writes are recognised, so that they do not become training data."""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerosum._disk import create

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

RECIPE = "recipe.txt"  # the file by which a run folder is known
RECIPE_START = b"Recipe("
SHEETS = (".png", ".jpg", ".jpeg", ".webp")  # formats of image sheets
MARK = ".zerosum"  # a file in folders of generated samples
_SHEET, _SOFTWARE = "zerosum sheet", 0x0131  # the value of an EXIF tag; of a GIF's comment, as GIF has no EXIF
_MARK_TEXT = b"Samples written by zerosum. A data set that contains this folder passes it over.\n"


def sheet_exif() -> "Exif":
    """The EXIF data of an image of several samples or of a plot: pass it to `Image.save`."""
    from PIL import Image

    exif = Image.Exif()
    exif[_SOFTWARE] = _SHEET
    return exif


def film_mark(kind: str) -> dict[str, Any]:
    """What `Image.save` takes to mark an animation of plots or samples, in the format `kind`, as a sheet is."""
    return {"comment": _SHEET.encode()} if kind == "GIF" else {"exif": sheet_exif()}


def is_sheet(image: "Image") -> bool:
    """Whether an opened image is one that was saved with `sheet_exif` or `film_mark`; no pixel is decoded."""
    if image.format == "GIF":
        return image.info.get("comment") == _SHEET.encode()
    # In a PNG whose EXIF does not precede the pixels, getexif() would decode the pixels.
    return "exif" in image.info and image.getexif().get(_SOFTWARE) == _SHEET


def mark_folder(folder: Path) -> None:
    """Mark a folder as one of generated samples."""
    with create(folder / MARK) as file:
        file.write(_MARK_TEXT)


def is_output(folder: Path) -> bool:
    """Whether a folder is a run, or one of generated samples."""
    return (folder / MARK).is_file() or _start(folder / RECIPE) == RECIPE_START


def _start(path: Path) -> bytes:
    """The first bytes of a regular file; empty for anything else."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return b""
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return file.read(len(RECIPE_START))
    except OSError:
        return b""
