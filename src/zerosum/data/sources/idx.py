"""IDX files, the format of MNIST, Fashion-MNIST and EMNIST (LeCun, Cortes and Burges)."""

import gzip
import math
import re
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from zerosum._paths import PATH, tidy_paths
from zerosum.data._paths import existing
from zerosum.data.dataset import Dataset
from zerosum.data.sources._mirror import mirrored
from zerosum.data.sources.arrays import dataset_of

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_NAME = re.compile(r"(.*)images([-.])idx3-ubyte(\.gz)?", re.DOTALL)
_USUAL = ("train-images-idx3-ubyte", "train-images.idx3-ubyte")  # as published, and as some tools unpack it
_MOST_AXES = 4
_DEFLATE_LIMIT = 1032  # maximum compression ratio of deflate
_LARGEST_GZ = 1 << 32  # maximum bytes of a .gz unpacked in memory


@dataclass(frozen=True)
class Idx:
    """Images in an IDX file such as `train-images-idx3-ubyte.gz`, optionally with a second file of labels.

    Images are (N, H, W), or with channels (N, H, W, C) or (N, C, H, W), with values as in `Arrays`. Labels are integers
    (N,); each distinct one is a class. `.gz` files are unpacked in memory.

    Args:
        images: file of the images.
        labels: file of the labels; None for no labels. With `--data FILE`, a labels file with the matching standard
            name in the same folder is used.
        flip: whether each image's mirror image is a sample too, which doubles their number.
    """

    images: str = field(metadata=PATH)
    labels: str | None = field(default=None, metadata=PATH)
    flip: bool = False

    def __post_init__(self) -> None:
        tidy_paths(self)

    @staticmethod
    def at(path: Path) -> "Idx | None":
        """The source for a file with MNIST's naming, or a folder of such files; None for any other path."""
        if path.is_dir():
            usual = (path / f"{name}{end}" for name in _USUAL for end in ("", ".gz"))
            found = next((file for file in usual if file.is_file()), None)
            return None if found is None else Idx.at(found)
        match = _NAME.fullmatch(path.name)
        if match is None:
            return None
        beside = [path.with_name(f"{match[1]}labels{match[2]}idx1-ubyte{end}") for end in (match[3] or "", "", ".gz")]
        labels = next((str(one) for one in beside if one.is_file()), None)
        return Idx(str(path), labels)

    def open(self) -> Dataset:
        """Open the files; raises `ValueError` for a file that is damaged, truncated, or has other content."""
        return mirrored(self._plain()) if self.flip else self._plain()

    def _plain(self) -> Dataset:
        path = existing(self.images)
        images = _array(path)
        if images.ndim < 3:
            raise ValueError(f"{path} should have images (N, H, W), but has an array of shape {images.shape}")
        return dataset_of(path.name, images, None if self.labels is None else _array(existing(self.labels)))


def _array(path: Path) -> NDArray[Any]:
    """Read one file, in memory, in the machine's own byte order."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            kind, shape = _header(path, file)
            array = np.frombuffer(_numbers(path, file, kind.itemsize * math.prod(shape)), kind).reshape(shape)
            return array.astype(kind.newbyteorder("="))
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is damaged or cannot be read: {error}") from error
    except MemoryError as error:
        raise ValueError(f"{path} does not fit into memory: save it as .npy, which is memory-mapped") from error


def _header(path: Path, file: "IO[bytes] | gzip.GzipFile") -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The type and shape that a file declares."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not 1 <= magic[3] <= _MOST_AXES:
        raise ValueError(
            f"{path} is not an IDX file: it should begin with two zero bytes, a type and 1 to {_MOST_AXES} axes; found "
            f"{magic.hex(' ') or 'nothing'}"
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(f"{path} ends within its header: download it again")
    return np.dtype(_TYPES[magic[2]]), struct.unpack(f">{magic[3]}I", sizes)


def _numbers(path: Path, file: "IO[bytes] | gzip.GzipFile", size: int) -> bytes:
    """The bytes after the header, as many as it declares; nothing is allocated that the file cannot contain."""
    on_disk = path.stat().st_size
    if path.suffix == ".gz" and size > _LARGEST_GZ:
        raise ValueError(f"{path} declares {size:,} bytes, above {_LARGEST_GZ:,} for a .gz file: unpack it first")
    if size > on_disk * (_DEFLATE_LIMIT if path.suffix == ".gz" else 1):
        raise ValueError(
            f"{path} declares {size:,} bytes of numbers, which its {on_disk:,} bytes cannot contain: download it again"
        )
    found = file.read(size + 1)
    if len(found) != size:
        more = "more" if len(found) > size else f"{len(found):,}"
        raise ValueError(f"{path} declares {size:,} bytes of numbers, but has {more}: download it again")
    return found
