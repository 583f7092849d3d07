"""Folders and zips of image files, with subfolders as classes or a table of conditions."""

__all__ = ["Images"]

import math
import os
import statistics
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._checks import require
from zerosum._paths import PATH, tidy_paths
from zerosum.data._paths import printable
from zerosum.data.dataset import Dataset
from zerosum.data.sources._decode import FITS, Header, dark_note, decode, read_header
from zerosum.data.sources._files import Files, image_files
from zerosum.data.sources._mirror import mirrored
from zerosum.data.sources._replacements import Replacements
from zerosum.data.sources._tables import beside

_S = TypeVar("_S")
_T = TypeVar("_T")
IN_MEMORY = 1 << 30  # bytes of pixels up to which decoded images are kept
_ADVICE = (
    "replace it by one of the same name, or remove it if no run has begun (`zerosum data check` lists all broken "
    "files; Images(bad='skip') replaces them by others)"
)
_THREADS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True)
class Images:
    """PNG, JPEG, WebP, BMP, GIF and TIFF images in a folder or a zip of one, whose subfolders are the classes.

    Instead of classes, a table `conditions.csv` beside the images can give numbers for each: a header
    `file,smiling,glasses`, then a row per image with its path relative to the table and its numbers. If all of them are
    0 or 1 they are binary attributes, else continuous, of any scale.

    All images become grey if every one is, else RGB. Transparent areas become white, 16 bits become 8, and the EXIF
    orientation is applied. Images are decoded when first read, and cached in memory if all of them take at most 1 GiB.
    Of several frames or pages the first is used. Hidden files are ignored; other files that are not images, and outputs
    of zerosum, are counted in a note. Classes that are numbers are in the order of the numbers.

    Args:
        path: the folder or `.zip`.
        size: height and width, or (H, W), to which images are resized. By default images of equal size keep it; others
            become squares, with a note, of the largest size among 16, 32 and 64 not above the median of min(H, W).
        fit: "crop" scales an image to cover the size and crops the centre; "pad" scales it to fit inside and pads with
            white; "exact" does not resize, and raises `ValueError` for images of different sizes.
        conditions: the table's path within the folder or zip, if it is not `conditions.csv`, or if subfolders are not
            classes.
        bad: what to do about broken images: "error" raises `ValueError` with the file name; "skip" replaces them, with
            a warning, by the next image of the same class or the one with the nearest conditions. Broken images keep
            their index, so the order of all others stays the same, also after a resume.
        flip: whether each image's mirror image is a sample too, which doubles their number.
    """

    path: str = field(metadata=PATH)
    size: int | tuple[int, int] | None = None
    fit: str = "crop"
    conditions: str | None = None
    bad: str = field(default="error", compare=False)  # which changes no intact image
    flip: bool = False

    def __post_init__(self) -> None:
        tidy_paths(self)
        size = _pair(self.size) if self.size is not None else (1, 1)
        require(self, len(size) == 2 and min(size) >= 1, "size >= 1, or (H, W)")
        require(self, self.fit in (*FITS, "exact"), f"fit to be {' or '.join((*FITS, 'exact'))}")
        require(self, self.fit != "exact" or self.size is None, "no size with fit='exact'")
        require(self, self.bad in ("error", "skip"), "bad to be error or skip")

    def open(self) -> Dataset:
        """Read the headers of all images; raises `ValueError` without images, or when one is broken."""
        return mirrored(self._plain()) if self.flip else self._plain()

    def _plain(self) -> Dataset:
        files, found = image_headers(self.path)
        known = beside(files, self.conditions)
        replacements = Replacements(files.names, known.conditions) if self.bad == "skip" else None
        headers = self._intact(files, found, replacements)
        grey = all(header.grey for header in headers)
        size, notes = common_size(self.path, self.size, self.fit, headers)
        notes += _notes(files, found)
        read = _Reader(files, size, self.fit, grey, replacements)
        shape = (1 if grey else 3, *size)
        notes, news = notes + known.notes, tuple if replacements is None else replacements.news
        rest = known.conditions, notes + news()
        name, content = printable(files.path.name), partial(self._content, files)
        return Dataset(
            name,
            shape,
            len(files.names),
            read,
            *rest,
            content=content,
            content_without=content,
            broken=read.broken,
            news=news,
            named=files.names.__getitem__,
            ahead=True,
        )

    def _intact(
        self, files: Files, found: Sequence[Header | ValueError], replacements: Replacements | None
    ) -> list[Header]:
        """The headers of all intact images."""
        broken = {i: str(one) for i, one in enumerate(found) if isinstance(one, ValueError)}
        if replacements is None:
            for i in broken:
                _named(files, files.names[i], _header)  # raises
            return [one for one in found if isinstance(one, Header)]
        if len(broken) == len(found):
            raise ValueError(f"none of the {len(found):,} images of {self.path} can be read; the first {broken[0]}")
        replacements.add(broken)
        return [one for one in found if isinstance(one, Header)]

    def _content(self, files: Files, without: Collection[str] = ()) -> str:
        return f"{files.content(without)} {self.fit}"


def common_size(
    path: str, size: int | tuple[int, int] | None, fit: str, headers: Sequence[Header]
) -> tuple[tuple[int, int], tuple[str, ...]]:
    """The size of all images of a folder or zip, with a note if it was chosen automatically."""
    if size is not None:
        return _pair(size), ()
    sizes = sorted({(header.height, header.width) for header in headers})
    if len(sizes) == 1:
        return sizes[0], ()
    if fit == "exact":
        (height, width), (other_height, other_width) = sizes[0], sizes[-1]
        raise ValueError(
            f"the images of {path} differ in size, from {height}x{width} to {other_height}x{other_width}: "
            f"pass a size for all of them, such as Images('{path}', size=64)"
        )
    usual = statistics.median(min(header.height, header.width) for header in headers)
    length = next((length for length in (64, 32) if length <= usual), 16)
    return (length, length), (f"the images differ in size, so each is resized to {length}x{length} ({fit})",)


def image_headers(path: str) -> tuple[Files, list[Header | ValueError]]:
    """The image files of a folder or zip, and the header of each or the reason why it cannot be read.

    Image sheets that zerosum wrote are passed over. Raises `ValueError` as `image_files` does.
    """
    files = image_files(path)
    found = dict(zip(files.names, threaded(partial(_tried, files), files.names), strict=True))
    left = files.without([name for name, one in found.items() if isinstance(one, Header) and one.sheet])
    return left, [found[name] for name in left.names]


def _notes(files: Files, found: Sequence[Header | ValueError]) -> tuple[str, ...]:
    """Warnings about images of which not all is used, or that are nearly black."""
    headers = {name: one for name, one in zip(files.names, found, strict=True) if isinstance(one, Header)}
    several = sum(header.frames for header in headers.values())
    first = (f"{several:,} of the images have several frames or pages, of which the first is used",) if several else ()
    return first + dark_note(files.read, [name for name, header in headers.items() if header.wide])


def threaded(do: Callable[[_S], _T], names: Sequence[_S]) -> list[_T]:
    """Return `do(name)` for each name, in order, computed by a few threads."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(do, names))


class _Reader:
    """Decodes images by index, and caches them if all of them fit into memory."""

    def __init__(
        self, files: Files, size: tuple[int, int], fit: str, grey: bool, replacements: Replacements | None = None
    ) -> None:
        self._files, self._size, self._fit, self._grey = files, size, fit, grey
        self._replacements = replacements
        shape = (len(files.names), 1 if grey else 3, *size)
        self._kept = torch.empty(shape, dtype=torch.uint8) if math.prod(shape) <= IN_MEMORY else None
        self._known = torch.zeros(len(files.names), dtype=torch.bool)
        self._decoded_once = np.zeros(len(files.names), np.bool_)
        self._broken: dict[str, int] = {}
        if replacements is not None:
            self._broken |= {files.names[index]: index for index in replacements.broken}

    def broken(self) -> dict[str, tuple[int]]:
        """The files that could not be decoded and never were, with their indices."""
        return {name: (index,) for name, index in self._broken.items()}

    def __call__(self, index: Tensor) -> Tensor:
        """Return uint8 images (B, C, H, W); raises `ValueError` with the file name for a broken image."""
        if self._kept is None:
            return self._decoded(index)
        missing = torch.from_numpy(np.unique(index[~self._known[index]].numpy()))
        if len(missing):
            self._kept[missing] = self._decoded(missing)
            self._known[missing] = True
        return self._kept[index]

    def _decoded(self, index: Tensor) -> Tensor:
        return torch.from_numpy(np.stack(threaded(self._at, index.tolist())))

    def _at(self, index: int) -> NDArray[np.uint8]:
        if self._replacements is not None:
            return self._replacements.read(index, self._one)
        return _named(self._files, self._files.names[index], lambda _, __: self._one(index))

    def _one(self, index: int) -> NDArray[np.uint8]:
        name = self._files.names[index]
        try:
            image = decode(self._files.read(name), self._grey, self._size, self._fit)
        except ValueError:
            if not self._decoded_once[index]:
                self._broken[name] = index
            raise
        self._decoded_once[index] = True
        self._broken.pop(name, None)
        return image


def _header(files: Files, name: str) -> Header:
    with files.open(name) as file:
        return read_header(file)


def _named(files: Files, name: str, do: Callable[[Files, str], _T]) -> _T:
    """Return `do(files, name)`; adds the file name and advice to its errors."""
    try:
        return do(files, name)
    except ValueError as error:
        gone = isinstance(error.__cause__, FileNotFoundError)
        advice = "restore it" if gone else _ADVICE
        raise ValueError(f"{printable(files.path / name)} {error}: {advice}") from error


def _tried(files: Files, name: str) -> Header | ValueError:
    """The header of a file, or the reason why it cannot be read."""
    try:
        return _header(files, name)
    except ValueError as error:
        return ValueError(str(error))  # without a traceback, which would keep the zip open


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
