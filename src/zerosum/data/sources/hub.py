"""Pictures on the Hugging Face hub, or in parquet and tar files, through the package `datasets`."""

import hashlib
import importlib
import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zerosum._checks import require
from zerosum.data._paths import printable
from zerosum.data.conditions import labelled
from zerosum.data.dataset import Dataset
from zerosum.data.sources._decode import FITS, MOST_BYTES, decode, read_header
from zerosum.data.sources._labels import numbered
from zerosum.data.sources.folders import threaded

_BUILDERS = {".parquet": "parquet", ".tar": "webdataset"}
_LABELS = ("label", "labels", "cls", "class")
_LOOKED_AT = 64
_PLAIN = ("Value('int", "Value('uint", "Value('string", "Value('bool")
WINDOW = 2_048


@dataclass(frozen=True)
class Hub:
    """Pictures of a data set on the Hugging Face hub, or in parquet or tar files (WebDataset), through `datasets`.

    Without `stream` the set is downloaded, kept by `datasets` in its cache, and read at any place: order, shuffling and
    resume are exact. With `stream` nothing is kept: pictures are read forward as they come, shuffled within windows of
    2,048, and a resume skips ahead to its place, exactly, at the cost of reading what lies before it where the files
    cannot skip (tar). For more than one pass, and wherever the disk suffices for the decoded pictures, `zerosum data
    pack 'Hub(..., stream=True)' OUT` is the better way.

    All pictures become grey if the first 64 are, else RGB. Needs the extra `hub`.

    Args:
        path: the name on the hub, as `user/name`; or a `.parquet` or `.tar` file, a folder or a pattern of such.
        split: of the set on the hub.
        config: the name of a part of the set on the hub, where it has several.
        revision: a commit, branch or tag on the hub; by default the newest, so that a set may change between runs.
        image: the column of pictures; by default the only one.
        label: the column of labels; by default one of classes, or one called label or cls, if there is any.
        size: the side, or (H, W), of all pictures; by default all have that of the first.
        fit: "crop" or "pad", as in `Images`.
        stream: whether pictures are read as they come.
    """

    path: str
    split: str = "train"
    config: str | None = None
    revision: str | None = None
    image: str | None = None
    label: str | None = None
    size: int | tuple[int, int] | None = None
    fit: str = "crop"
    stream: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", str(self.path))  # so that the repr of one made from a Path can be read
        require(self, self.fit in FITS, f"fit to be {' or '.join(FITS)}")
        sides = (self.size, self.size) if isinstance(self.size, int) else self.size or (1, 1)
        require(self, len(sides) == 2 and min(sides) >= 1, "size >= 1, or (H, W)")

    def open(self) -> Dataset:
        """Open the set; raises `ValueError` where it cannot be had, or has no pictures."""
        rows = self._loaded()
        image, label = self._columns(rows.features)
        rows = rows.cast_column(image, _package().Image(decode=False))
        labels, classes, count = self._labels(rows, image, label)
        raw = rows.select_columns([image])
        read_raw = _Forward(raw, image) if self.stream else _Anywhere(raw, image)
        looked_at = range(min(count, _LOOKED_AT)) if self.stream else range(0, count, max(1, count // _LOOKED_AT))
        some = [*read_raw([*looked_at])]
        headers = [read_header(io.BytesIO(one)) for one in some]
        grey = all(header.grey for header in headers)
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
        )

    def _loaded(self) -> Any:
        """The rows, as `datasets` has them."""
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
                raise ValueError(
                    f"{self.path} holds both .parquet and .tar files: name one kind, as '{self.path}/*.tar'"
                )
            wanted = {"path": _BUILDERS[kinds.pop()], "data_files": files, "split": "train"}
        try:
            rows = package.load_dataset(**wanted, streaming=self.stream)
            return rows if rows.features is not None else rows._resolve_features()
        except (OSError, ValueError, KeyError, RuntimeError, package.exceptions.DatasetsError) as error:
            why = printable(str(error).strip().partition("\n")[0]) or type(error).__name__
            raise ValueError(f"{self.path} cannot be loaded through datasets: {why}") from error

    def _columns(self, features: Any) -> tuple[str, str | None]:
        """The columns of pictures and of labels."""
        package, listed = _package(), printable(", ".join(features))
        for name in (self.image, self.label):
            if name is not None and name not in features:
                raise ValueError(f"{self.path} has no column {name!r}, but has {listed}")
        images = [name for name, kind in features.items() if isinstance(kind, package.Image)]
        if self.image is None and len(images) != 1:
            raise ValueError(f"{self.path} has {len(images)} columns of pictures in {listed}: say which, as image=...")
        classes = [name for name, kind in features.items() if isinstance(kind, package.ClassLabel)]
        named = [name for name in _LABELS if str(features.get(name)).startswith(_PLAIN)]
        label = self.label or (classes[0] if len(classes) == 1 else named[0] if named else None)
        return self.image or images[0], label

    def _labels(self, rows: Any, image: str, label: str | None) -> tuple[Tensor | None, tuple[str, ...], int]:
        """Labels, the names of their classes, and how many rows there are; a stream is gone through once for that."""
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
                    f"the pictures of {self.path} differ in size, as {header.height}x{header.width} and "
                    f"{size[0]}x{size[1]}: say one for all of them, as size=64"
                )
        return decode(raw, grey, size, self.fit)


class _Anywhere:
    """Files of pictures by index."""

    def __init__(self, rows: Any, image: str) -> None:
        self._rows, self._image = rows, image

    def __call__(self, index: Sequence[int]) -> list[bytes]:
        return [_raw(cell) for cell in self._rows[list(index)][self._image]]


class _Forward:
    """Files of pictures by index, of a stream that goes forward; for one that lies behind it begins anew."""

    def __init__(self, rows: Any, image: str) -> None:
        self._rows, self._image = rows, image
        self._next, self._held = 0, dict[int, bytes]()
        self._stream: Iterator[Any] = iter(rows)
        self._one_at_a_time = threading.Lock()

    def __call__(self, index: Sequence[int]) -> list[bytes]:
        with self._one_at_a_time:
            missing = [i for i in index if i not in self._held]
            if missing and not self._next <= min(missing) < self._next + WINDOW:
                missing = [*index]
                self._next, self._held = min(missing), {}
                self._stream = iter(self._rows.skip(self._next))
            while missing and self._next <= max(missing):
                row = next(self._stream, None)
                if row is None:
                    raise ValueError(f"the stream ends after {self._next:,} pictures: it was longer when it was opened")
                self._held[self._next] = _raw(row[self._image])
                self._next += 1
            found = [self._held[i] for i in index]
            for old in [i for i in self._held if i < self._next - WINDOW]:
                del self._held[old]
            return found


def _raw(cell: Any) -> bytes:
    """The file of a picture, which a row holds or names."""
    raw = cell["bytes"] if cell["bytes"] is not None else Path(cell["path"]).read_bytes()
    if len(raw) > MOST_BYTES:
        raise ValueError(f"a picture is larger than {MOST_BYTES >> 20} MiB")
    return bytes(raw)


def _files(path: str) -> list[str]:
    """The parquet or tar files that a path means, if it means any."""
    found = Path(path).expanduser()
    pattern = (found, "**/*") if found.is_dir() else (found.parent, found.name)
    if not pattern[0].is_dir() or not pattern[1]:
        return []
    return sorted(str(file) for file in pattern[0].glob(pattern[1]) if file.suffix in _BUILDERS and file.is_file())


def _package() -> Any:
    try:
        return importlib.import_module("datasets")
    except ImportError as error:
        raise ValueError("Hub needs the package datasets: pip install 'zerosum[hub]'") from error
