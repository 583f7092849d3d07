"""Convert, open and embed images of samples."""

__all__ = ()

import base64
import io
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from zerosum._disk import read_foreign

ROWS = 8  # of a grid of samples
_COLUMNS, _MOST_COLUMNS = 10, 20
_MOST = 64 << 20  # maximum bytes, and pixels, of a sample image


def columns_of(classes: int) -> int:
    """The columns of a grid of samples, so that each has one class where the classes fit."""
    if not classes or classes > _MOST_COLUMNS:
        return _COLUMNS
    return classes * max(1, _COLUMNS // classes)


def to_bytes(x: Tensor) -> NDArray[np.uint8]:
    """Convert images from float `(N, C, H, W)` in [-1, 1] to uint8 `(N, H, W, C)`."""
    scaled = ((x.float() + 1) * 127.5).round().clamp(0, 255)
    images: NDArray[np.uint8] = scaled.byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return images


def open_image(path: Path, size: int) -> Image.Image:
    """Open an image in a run folder, downscaled to at most `size` pixels in height and width.

    Raises `ValueError` for invalid PNG files, and for more than 64 million pixels.
    """
    try:
        with Image.open(io.BytesIO(read_foreign(path, _MOST)), formats=["PNG"]) as file:
            if file.width * file.height > _MOST:
                raise ValueError(f"it has {file.width} x {file.height} pixels")
            image = file.convert("L" if file.mode in ("1", "L") else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"{path.name} is not a valid PNG image: {error}") from None
    image.thumbnail((size, size))
    return image


def inline_image(image: Image.Image, alt: str) -> str:
    """An image as an HTML element with inline data."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=7)  # 9, as by optimize=True, takes four times as long for 4 % less
    data = base64.b64encode(buffer.getvalue()).decode()
    size = f'width="{image.width}" height="{image.height}"'
    return f'<img src="data:image/png;base64,{data}" {size} alt="{escape(alt)}">'
