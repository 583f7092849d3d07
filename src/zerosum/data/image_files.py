"""Image files of any kind as pixels, with their transparency, and pixels as image files."""

__all__ = ()

import io
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from zerosum._disk import replacing
from zerosum._outputs import film_mark
from zerosum.data.sources._decode import MOST_BYTES, decode, flatten, is_grey, opened
from zerosum.data.sources._frames import flat_frames, frames_header
from zerosum.data.sources.folders import image_headers

WRITTEN = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
MOVING = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}
_TRANSPARENT = ("PNG", "WEBP", "TIFF")
_SHORTEST, _USUAL = 20, 40  # milliseconds of a frame


@dataclass(frozen=True, eq=False)
class ImageFile:
    """An image file.

    Attributes:
        pixels: uint8 `(H, W, C)`, one channel where the file has no colour, else three; on white.
        colours: the same without the white background.
        alpha: uint8 `(H, W)`; None without transparency.
    """

    pixels: NDArray[np.uint8]
    colours: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None


def read_image(path: Path) -> ImageFile:
    """Read an image file; raises `ValueError` with the reason if it cannot be read."""
    with opened(io.BytesIO(_read(path))) as image:
        image.load()
        grey = is_grey(image)
        upright = ImageOps.exif_transpose(image)
        alpha = np.asarray(upright.convert("RGBA"))[..., 3] if upright.has_transparency_data else None
        pixels = _array(flatten(upright, grey))
        colours = pixels if alpha is None else _array(upright.convert("RGBA").convert("L" if grey else "RGB"))
        return ImageFile(pixels, colours, alpha)


def files_in(folder: Path) -> list[Path]:
    """The image files of a folder and its subfolders that a data set would have: not hidden, and no outputs of zerosum.

    Raises `ValueError` for a folder without any.
    """
    return [folder / name for name in image_headers(str(folder))[0].names]


def read_fitted(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read an image file as `shape`, `(C, H, W)` with 1 or 3 channels: uint8 `(H, W, C)`.

    It is scaled to cover the size, and its centre is cropped. Raises `ValueError` with the reason if it cannot be read.
    """
    channels, height, width = _fitting(shape)
    return decode(_read(path), channels == 1, (height, width)).transpose(1, 2, 0)


def read_drawing(path: Path, shape: tuple[int, ...]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The same of a drawing, whose transparency says what is drawn: colours, and weights `(H, W)` in [0, 1].

    Raises `ValueError` with the reason, also for a file without transparency, or with nothing drawn.
    """
    channels, height, width = _fitting(shape)
    image = read_image(path)
    if image.alpha is None or image.alpha.min() == 255:
        raise ValueError("has no transparent pixels: transparency says which pixels are not drawn")
    colours = image.colours if image.colours.shape[2] == 3 else image.colours.repeat(3, 2)
    layers = Image.fromarray(np.dstack([colours, image.alpha]), "RGBA")
    fitted = ImageOps.fit(layers, (width, height), Image.Resampling.BOX)
    weights: NDArray[np.float32] = np.asarray(fitted)[..., 3].astype(np.float32)
    weights /= 255
    if not weights.any():
        raise ValueError("is transparent throughout: nothing is drawn")
    return _array(fitted.convert("RGB").convert("L" if channels == 1 else "RGB")), weights


def _fitting(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise ValueError(f"does not fit samples {shape}: only images with 1 or 3 channels are read from files")
    return shape[0], shape[1], shape[2]


def read_frames(path: Path) -> tuple[list[NDArray[np.uint8]], int]:
    """The frames of an animated file or a video, RGB, uint8 `(H, W, 3)`, and the milliseconds of each.

    Raises `ValueError` with the reason if it cannot be read.
    """
    raw = _read(path)
    frames_header(path.name, io.BytesIO(raw))  # refuses too many frames before one is decoded
    frames = [_array(frame) for frame in flat_frames(path.name, raw, grey=False)]
    duration = _USUAL
    with suppress(ValueError), opened(io.BytesIO(raw)) as image:  # not of a video
        duration = max(_SHORTEST, int(image.info.get("duration", _USUAL)))
    return frames, duration


def write_image(path: Path, pixels: NDArray[np.uint8], alpha: NDArray[np.uint8] | None = None) -> None:
    """Write an image in the format of the file's name; alpha is resized to its size where the format has one."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    kind = WRITTEN[path.suffix.lower()]
    if alpha is not None and kind in _TRANSPARENT:
        layer = Image.fromarray(alpha).resize(image.size, Image.Resampling.BICUBIC)
        image = image.convert("RGB")
        image.putalpha(layer)
    with replacing(path) as file:
        image.save(file, format=kind)


def write_clip(path: Path, frames: list[NDArray[np.uint8]], duration: int, film: bool = False) -> None:
    """Write frames as an animated GIF, WebP or PNG, by the file's name; a `film` is passed over by data sets."""
    images = [Image.fromarray(frame[..., 0] if frame.shape[2] == 1 else frame) for frame in frames]
    first, *rest = [image.convert("RGB") for image in images]
    kind = MOVING[path.suffix.lower()]
    mark = film_mark(kind) if film else {}
    with replacing(path) as file:
        first.save(file, format=kind, save_all=True, append_images=rest, duration=duration, loop=0, **mark)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError("is not a file")
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES >> 20} MiB")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None


def _array(image: Image.Image) -> NDArray[np.uint8]:
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels
