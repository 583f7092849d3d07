"""Decode untrusted image files to pixels."""

import io
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from zerosum._outputs import is_sheet
from zerosum.data._paths import printable

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
FITS = ("crop", "pad")
MOST_BYTES = 64 << 20
MOST_PIXELS, _MOST_LENGTH = 64 << 20, (1 << 16) - 1
_LARGE = 8 << 20  # pixels above which images are decoded one at a time, as each needs hundreds of megabytes
_ALONE = threading.Lock()
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
_ORIENTATION = 0x0112
_DARK, _INSPECTED = 1 << 14, 16  # of 16 bits: a value below which all are dark; files inspected
_LANCZOS = Image.Resampling.LANCZOS
# What Pillow's decoders raise on damaged files.
BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError),
    *(OverflowError, struct.error, zlib.error, AssertionError, ZeroDivisionError, RuntimeError, MemoryError, Warning),
)


class Unsupported(Exception):
    """An image that is whole, and of no supported kind; its text is the reason."""


@dataclass(frozen=True)
class Header:
    """Header of an image file.

    Attributes:
        height: after applying the orientation.
        width: after applying the orientation.
        grey: whether it has no colour.
        wide: whether it has 16 bits per pixel.
        frames: whether it has several frames or pages.
        sheet: whether it is an image of several samples that zerosum wrote.
    """

    height: int
    width: int
    grey: bool
    wide: bool = False
    frames: bool = False
    sheet: bool = False


def read_header(file: IO[bytes]) -> Header:
    """Read the header of an image file; raises `ValueError` with the reason when it cannot."""
    with opened(file) as image:
        width, height = image.size
        # In a PNG whose EXIF does not precede the pixels, getexif() would decode the pixels.
        if "exif" in image.info and image.getexif().get(_ORIENTATION, 1) >= 5:
            width, height = height, width
        frames = bool(getattr(image, "is_animated", False))
        return Header(height, width, is_grey(image), image.mode.startswith("I"), frames, is_sheet(image))


def decode(raw: bytes, grey: bool, size: tuple[int, int] | None = None, fit: str = "crop") -> NDArray[np.uint8]:
    """Decode an image file: uint8 (C, H, W), with one channel if grey, else three.

    `size` is (H, W); None keeps the image's own. "crop" scales the image to cover the size and crops the centre; "pad"
    scales it to fit inside and pads with white. Raises `ValueError` with the reason when the file is broken.
    """
    with opened(io.BytesIO(raw)) as image:
        if size is not None:
            image.draft(None, (2 * max(size), 2 * max(size)))  # lets a JPEG skip detail that scaling removes
        with _ALONE if image.width * image.height > _LARGE else nullcontext():
            image.load()
            flat = flatten(ImageOps.exif_transpose(image), grey)
            if size is not None and flat.size != size[::-1]:
                flat = ImageOps.fit(flat, size[::-1], _LANCZOS) if fit == "crop" else _padded(flat, *size)
            pixels = np.asarray(flat)
    return pixels[None] if grey else pixels.transpose(2, 0, 1)


def flatten(image: Image.Image, grey: bool) -> Image.Image:
    """Convert an image of any mode to 8-bit grey or RGB; transparent areas become white."""
    if image.mode.startswith("I"):  # 16 bits per pixel, which Pillow would clip at 255
        wide = np.asarray(image).astype(np.float32)
        image = Image.fromarray(np.rint(wide / 257).clip(0, 255).astype(np.uint8))
    elif image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), layer)
    return image.convert("L" if grey else "RGB")


def dark_note(read: Callable[[str], bytes], names: Sequence[str]) -> tuple[str, ...]:
    """A warning if images of 16 bits use so few of them that they are nearly black, by up to 16 evenly spaced files."""
    some = names[:: -(-len(names) // _INSPECTED) or 1]
    brightest = 0
    for name in some:
        with suppress(ValueError), opened(io.BytesIO(read(name))) as image:
            brightest = max(brightest, int(np.asarray(image).max()))
    if not 0 < brightest < _DARK:
        return ()
    bits = brightest.bit_length()
    return (
        f"images have 16 bits but no value above {brightest:,} of 65,535 (in {len(some)} inspected), so they are "
        f"nearly black: if their values have {bits} bits, multiply them by {1 << 16 - bits:,}",
    )


@contextmanager
def opened(file: IO[bytes]) -> Iterator[Image.Image]:
    """Open an image of an allowed format; every failure becomes a `ValueError`."""
    try:
        with Image.open(file, formats=_FORMATS) as image:
            # Below the size at which Pillow warns, so that too large an image is always an error.
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            # Each row has a memory overhead, so an image of millions of short rows would take gigabytes.
            if max(image.size) > _MOST_LENGTH:
                raise Image.DecompressionBombError
            if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):
                raise Unsupported("has 32 bits per pixel: save it with 8 or 16")
            yield image
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ValueError(
            f"has more than {MOST_PIXELS >> 20} megapixels, or a height or width above {_MOST_LENGTH:,}"
        ) from error
    except Unsupported as error:
        raise ValueError(str(error)) from error
    except UnidentifiedImageError as error:
        raise ValueError("is not a PNG, JPEG, WebP, BMP, GIF or TIFF image, or its header is damaged") from error
    except BROKEN as error:
        raise ValueError(f"is damaged ({printable(error)})") from error


def is_grey(image: Image.Image) -> bool:
    """Whether an image has no colour, by its mode or its palette."""
    if image.mode == "P":
        colours = np.array(image.getpalette("RGB")).reshape(-1, 3)
        return bool((colours == colours[:, :1]).all())
    return image.mode in ("1", "L", "LA") or image.mode.startswith("I")


def _padded(image: Image.Image, height: int, width: int) -> Image.Image:
    """Scale an image to fit inside the size, and centre it on a white background."""
    scale = min(width / image.width, height / image.height)
    inside = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    background = Image.new(image.mode, (width, height), "white")
    background.paste(image.resize(inside, _LANCZOS), ((width - inside[0]) // 2, (height - inside[1]) // 2))
    return background
