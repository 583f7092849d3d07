"""Decode the frames of untrusted files: animated GIF, WebP and PNG images, and videos."""

import importlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence

from zerosum.data._paths import printable
from zerosum.data.sources import _decode
from zerosum.data.sources._decode import BROKEN, MOST_PIXELS, Header, Unsupported, flatten, opened, read_header

_VIDEOS = {".mp4": "mov", ".m4v": "mov", ".mov": "mov", ".mkv": "matroska", ".webm": "matroska", ".avi": "avi"}
SUFFIXES = (*_decode.SUFFIXES, ".apng", *_VIDEOS)
_ANIMATED = ("GIF", "PNG", "WEBP")  # formats whose further images are frames and not pages or views
_MOST_FRAMES, _MOST_OVERALL = 1 << 14, 1 << 30  # frames of a file, and pixels of all of them
_LANCZOS = Image.Resampling.LANCZOS


def frames_header(name: str, file: IO[bytes]) -> tuple[Header, int]:
    """The header of a file and its number of frames; raises `ValueError` with the reason when it cannot be read."""
    container = _container(name)
    if container is None:
        header = read_header(file)
        file.seek(0)
        with opened(file) as image:
            count = image.n_frames - _first(image) if _is_animated(image) else 1  # type: ignore[attr-defined]
            _check(count, header.height, header.width)
        return header, count
    with _video(file, container) as (_, stream, packets):
        header = Header(stream.height, stream.width, grey=False)
        count = sum(packet.size > 0 for packet in packets)
        _check(count, header.height, header.width)
    return header, count


def decode_frames(name: str, raw: bytes, grey: bool, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Decode all frames of a file: uint8 (frames, C, H, W), with one channel if grey, else three.

    Each is scaled to cover the size (H, W) and cropped to its centre. Raises `ValueError` with the reason when the file
    is broken, and when a frame has colour where grey is asked for.
    """
    found = [_resized(frame, size) for frame in flat_frames(name, raw, grey)]
    images = np.stack([np.asarray(frame) for frame in found])
    return images[:, None] if grey else images.transpose(0, 3, 1, 2)


def flat_frames(name: str, raw: bytes, grey: bool) -> Iterator[Image.Image]:
    """The frames of a file as grey or RGB images; raises `ValueError` with the reason when it is broken."""
    container = _container(name)
    if container is not None:
        with _video(io.BytesIO(raw), container) as (decoder, stream, _):
            for number, frame in enumerate(decoder.decode(stream)):
                _check(number + 1, frame.height, frame.width)
                yield Image.fromarray(frame.to_ndarray(format="rgb24"))
        return
    with opened(io.BytesIO(raw)) as image:
        if not _is_animated(image):
            yield flatten(ImageOps.exif_transpose(image), grey)
            return
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            _check(number + 1, image.height, image.width)
            if number >= _first(image):
                frame.load()
                yield _grey(frame, number) if grey else flatten(frame, grey=False)


def _grey(frame: Image.Image, number: int) -> Image.Image:
    """A frame as a grey image; raises `Unsupported` where it has colour."""
    pixels = np.asarray(flatten(frame, grey=False))
    if (pixels != pixels[..., :1]).any():
        raise Unsupported(f"has colour in frame {number + 1} although its first frame is grey: save it in one mode")
    return flatten(frame, grey=True)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size[::-1] else ImageOps.fit(image, size[::-1], _LANCZOS)


def _check(count: int, height: int, width: int) -> None:
    """Raise `Unsupported` for too many frames or pixels."""
    if count > _MOST_FRAMES or count * height * width > _MOST_OVERALL or height * width > MOST_PIXELS:
        raise Unsupported(
            f"has more than {_MOST_FRAMES:,} frames, or {_MOST_OVERALL >> 20:,} megapixels in all of them, or "
            f"{MOST_PIXELS >> 20} in one"
        )


def _is_animated(image: Image.Image) -> bool:
    return image.format in _ANIMATED and bool(getattr(image, "is_animated", False))


def _first(image: Image.Image) -> int:
    """The number of images before the first frame: 1 for a PNG whose default image is not part of the animation."""
    return int(bool(getattr(image, "default_image", False)))


def _container(name: str) -> str | None:
    """The container format of a video file, by its suffix; None for an image."""
    return next((container for suffix, container in _VIDEOS.items() if name.lower().endswith(suffix)), None)


@contextmanager
def _video(file: IO[bytes], container: str) -> Iterator[tuple[Any, Any, Iterator[Any]]]:
    """Open a video: the decoder, its first video stream and its packets; every failure becomes a `ValueError`.

    The container format is given and not probed, so no playlist that names other files is followed.
    """
    try:
        av: Any = importlib.import_module("av")
    except ImportError as error:
        raise ValueError(
            "is a video, which needs the package av: pip install 'zerosum[video]', or save its frames as images"
        ) from error
    try:
        with av.open(file, format=container) as decoder:
            stream = next((one for one in decoder.streams.video if one.codec_context is not None), None)
            if stream is None:
                raise Unsupported("has no video that can be decoded")
            _check(1, stream.height, stream.width)
            yield decoder, stream, decoder.demux(stream)
    except Unsupported as error:
        raise ValueError(str(error)) from error
    except (av.FFmpegError, *BROKEN) as error:
        raise ValueError(f"is damaged ({printable(error)})") from error
