"""Images from the Hugging Face hub, or from parquet and tar files, through the package `datasets`."""

import hashlib
import importlib
import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._checks import require
from zerosum._paths import PATH, tidy_paths, user_path
from zerosum.data._paths import printable
from zerosum.data.conditions import labelled
from zerosum.data.dataset import Dataset
from zerosum.data.sources._decode import FITS, MOST_BYTES, dark_note, decode, read_header
from zerosum.data.sources._labels import numbered
from zerosum.data.sources._mirror import mirrored
from zerosum.data.sources.folders import threaded

_BUILDERS = {".parquet": "parquet", ".tar": "webdataset"}
_LABELS = ("label", "labels", "cls", "class")
_INSPECTED = 64
_PLAIN = ("Value('int", "Value('uint", "Value('string", "Value('bool")
WINDOW = 2_048


@dataclass(frozen=True)
class Hub:
    """Images from the Hugging Face hub, or from parquet or tar files (WebDataset), through `datasets`.

    Without `stream` the set is downloaded to the cache of `datasets` and has random access. With `stream` nothing is
    stored: images are read sequentially and shuffled within windows of 2,048. Resuming is exact in both cases; a stream
    skips ahead, which for tar files means reading all that comes before. For more than one epoch, `zerosum data pack
    'Hub(..., stream=True)' OUT` is preferable if the decoded images fit on the disk.

    All images become grey if the first 64 are, else RGB. Requires the extra `hub`.

    Args:
        path: the name on the hub, as `user/name`; or a `.parquet` or `.tar` file, or a folder or glob pattern of them.
        split: the split on the hub.
        config: the name of the configuration on the hub, if it has several.
        revision: a commit, branch or tag on the hub; by default the newest, so the data may change between runs.
        image: the image column; by default the only one.
        label: the label column; by default a class column, or one called label or cls, if present.
        size: height and width, or (H, W), to which images are resized; by default all must have the size of the first.
        fit: "crop" or "pad", as in `Images`.
        stream: whether to stream images instead of downloading the set.
        flip: whether each image's mirror image is a sample too, which doubles their number.
    """

    path: str = field(metadata=PATH)
    split: str = "train"
    config: str | None = None
    revision: str | None = None
    image: str | None = None
    label: str | None = None
    size: int | tuple[int, int] | None = None
    fit: str = "crop"
    stream: bool = False
    flip: bool = False

    def __post_init__(self) -> None:
        tidy_paths(self)
        require(self, self.fit in FITS, f"fit to be {' or '.join(FITS)}")
        size = (self.size, self.size) if isinstance(self.size, int) else self.size or (1, 1)
        require(self, len(size) == 2 and min(size) >= 1, "size >= 1, or (H, W)")

    def open(self) -> Dataset:
        """Open the set; raises `ValueError` when it cannot be loaded, or has no images."""
        return mirrored(self._plain()) if self.flip else self._plain()

    def _plain(self) -> Dataset:
        rows = self._loaded()
        image, label = self._columns(rows.features)
        rows = rows.cast_column(image, _package().Image(decode=False))
        labels, classes, count = self._labels(rows, image, label)
        raw = rows.select_columns([image])
        read_raw = _Stream(raw, image) if self.stream else _RandomAccess(raw, image)
        inspected = range(min(count, _INSPECTED)) if self.stream else range(0, count, max(1, count // _INSPECTED))
        some = [*read_raw([*inspected])]
        headers = [read_header(io.BytesIO(one)) for one in some]
        grey = all(header.grey for header in headers)
        names = [str(number) for number in range(len(some))]
        wide = [name for name, header in zip(names, headers, strict=True) if header.wide]
        first = (headers[0].height, headers[0].width)
        size = (self.size, self.size) if isinstance(self.size, int) else self.size or first
        decoded = partial(self._decoded, size=size, grey=grey)

        def read(index: Tensor) -> Tensor:
            return torch.from_numpy(np.stack(threaded(decoded, read_raw(index.tolist()))))

        content = hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in some)).hexdigest
        name = printable(Path(self.path).name)
        return Dataset(
            name=name,
            shape=(1 if grey else 3, *size),
            count=count,
            read=read,
            conditions=labelled(name, labels, classes),
            content=content,
            ahead=True,
            window=WINDOW if self.stream else None,
            notes=dark_note(dict(zip(names, some, strict=True)).__getitem__, wide),
        )

    def _loaded(self) -> Any:
        """The rows as a `datasets` object."""
        package = _package()
        files = _files(self.path)
        wanted: dict[str, Any] = {
            "path": self.path,
            "name": self.config,
            "split": self.split,
            "revision": self.revision,
        }
        if files:
            kinds = {Path(file).suffix for file in files}
            if len(kinds) > 1:
                raise ValueError(f"{self.path} has both .parquet and .tar files: name one kind, as '{self.path}/*.tar'")
            wanted = {"path": _BUILDERS[kinds.pop()], "data_files": files, "split": "train"}
        try:
            rows = package.load_dataset(**wanted, streaming=self.stream)
            return rows if rows.features is not None else rows._resolve_features()
        except (OSError, ValueError, KeyError, RuntimeError, package.exceptions.DatasetsError) as error:
            why = printable(str(error).strip().partition("\n")[0]) or type(error).__name__
            raise ValueError(f"{self.path} cannot be loaded through datasets: {why}") from error

    def _columns(self, features: Any) -> tuple[str, str | None]:
        """The image and label columns."""
        package, listed = _package(), printable(", ".join(features))
        for name in (self.image, self.label):
            if name is not None and name not in features:
                raise ValueError(f"{self.path} has no column {name!r}, but has {listed}")
        images = [name for name, kind in features.items() if isinstance(kind, package.Image)]
        if self.image is None and len(images) != 1:
            raise ValueError(f"{self.path} has {len(images)} image columns in {listed}: name one with image=...")
        classes = [name for name, kind in features.items() if isinstance(kind, package.ClassLabel)]
        named = [name for name in _LABELS if str(features.get(name)).startswith(_PLAIN)]
        label = self.label or (classes[0] if len(classes) == 1 else named[0] if named else None)
        return self.image or images[0], label

    def _labels(self, rows: Any, image: str, label: str | None) -> tuple[Tensor | None, tuple[str, ...], int]:
        """Labels, class names and the number of rows; a stream is read once for them."""
        if label is None:
            cheap = next((name for name in rows.features if name != image), image)
            return None, (), sum(1 for _ in rows.select_columns([cheap])) if self.stream else len(rows)
        column = rows.select_columns([label])
        found = [row[label] for row in column] if self.stream else column[:][label]
        kind = rows.features[label]
        names = tuple(map(printable, kind.names)) if isinstance(kind, _package().ClassLabel) else None
        labels, classes = numbered(self.path, np.array(found), len(found), names)
        return labels, classes, len(found)

    def _decoded(self, raw: bytes, size: tuple[int, int], grey: bool) -> NDArray[np.uint8]:
        if self.size is None:
            header = read_header(io.BytesIO(raw))
            if (header.height, header.width) != size:
                raise ValueError(
                    f"the images of {self.path} differ in size, as {header.height}x{header.width} and "
                    f"{size[0]}x{size[1]}: pass a size for all of them, such as size=64"
                )
        return decode(raw, grey, size, self.fit)


class _RandomAccess:
    """Image files by index, with random access."""

    def __init__(self, rows: Any, image: str) -> None:
        self._rows, self._image = rows, image

    def __call__(self, index: Sequence[int]) -> list[bytes]:
        return [_raw(cell) for cell in self._rows[list(index)][self._image]]


class _Stream:
    """Image files by index from a sequential stream, which restarts for an earlier index."""

    def __init__(self, rows: Any, image: str) -> None:
        self._rows, self._image = rows, image
        self._next, self._buffer = 0, dict[int, bytes]()
        self._stream: Iterator[Any] = iter(rows)
        self._one_at_a_time = threading.Lock()

    def __call__(self, index: Sequence[int]) -> list[bytes]:
        with self._one_at_a_time:
            missing = [i for i in index if i not in self._buffer]
            if missing and not self._next <= min(missing) < self._next + WINDOW:
                missing = [*index]
                self._next, self._buffer = min(missing), {}
                self._stream = iter(self._rows.skip(self._next))
            while missing and self._next <= max(missing):
                row = next(self._stream, None)
                if row is None:
                    raise ValueError(
                        f"the stream ended after {self._next:,} images, but was longer when it was opened: "
                        "check the source"
                    )
                self._buffer[self._next] = _raw(row[self._image])
                self._next += 1
            found = [self._buffer[i] for i in index]
            for old in [i for i in self._buffer if i < self._next - WINDOW]:
                del self._buffer[old]
            return found


def _raw(cell: Any) -> bytes:
    """The file of an image, from the bytes or path in a row."""
    raw = cell["bytes"] if cell["bytes"] is not None else Path(cell["path"]).read_bytes()
    if len(raw) > MOST_BYTES:
        raise ValueError(f"an image is larger than {MOST_BYTES >> 20} MiB")
    return bytes(raw)


def _files(path: str) -> list[str]:
    """The parquet or tar files at a path, folder or pattern; empty if there are none."""
    found = user_path(path)
    pattern = (found, "**/*") if found.is_dir() else (found.parent, found.name)
    if not pattern[0].is_dir() or not pattern[1]:
        return []
    return sorted(str(file) for file in pattern[0].glob(pattern[1]) if file.suffix in _BUILDERS and file.is_file())


def _package() -> Any:
    try:
        return importlib.import_module("datasets")
    except ImportError as error:
        raise ValueError("Hub needs the package datasets: pip install 'zerosum[hub]'") from error
