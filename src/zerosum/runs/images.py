"""Images of samples as a page shows them."""

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

_MOST = 64 << 20  # bytes of an image of samples, and pixels


def to_bytes(x: Tensor) -> NDArray[np.uint8]:
    """Images from float `(N, C, H, W)` in [-1, 1] to uint8 `(N, H, W, C)`."""
    scaled = ((x.float() + 1) * 127.5).round().clamp(0, 255)
    images: NDArray[np.uint8] = scaled.byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return images


def open_image(path: Path, side: int) -> Image.Image:
    """An image in a run folder, made smaller where its longer side has more than `side` pixels.

    Raises `ValueError` for what does not read as PNG, and for more than 64 million pixels.
    """
    try:
        with Image.open(io.BytesIO(read_foreign(path, _MOST)), formats=["PNG"]) as file:
            if file.width * file.height > _MOST:
                raise ValueError(f"it has {file.width} x {file.height} pixels")
            image = file.convert("L" if file.mode in ("1", "L") else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"{path.name} does not read as an image: {error}") from None
    image.thumbnail((side, side))
    return image


def inline_image(image: Image.Image, alt: str) -> str:
    """An image as an HTML element that carries its own data."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    size = f'width="{image.width}" height="{image.height}"'
    return f'<img src="data:image/png;base64,{data}" {size} alt="{escape(alt)}">'
