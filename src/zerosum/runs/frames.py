"""Frames of a game of points in one or two dimensions, recorded in training: what its film is made of.

A frame is a file of tensors, `frames/000002048.safetensors`, in the units of the networks. The real points of all
frames and the window on the plane or the line are in `frames/data.safetensors`.
"""

__all__ = ()

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import safetensors.torch
import torch
from torch import Tensor

from zerosum._arrays import separated
from zerosum._disk import plain_folder, replace_durably
from zerosum._foreign import read_tensors, taken_apart
from zerosum.runs.files import FRAMES

LATTICE = {1: 256, 2: 64}  # places in each direction at which D is recorded, by the number of dimensions
_DATA = "data"
_MOST = 1 << 16  # rows of a tensor in a file


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment of a game of points in d dimensions, in the units of the networks.

    Attributes:
        images: real samples seen.
        samples: generated points `(N, d)`, float32, of the generator that D plays against.
        field: D's scores at the places of the lattice `(K,)`, float16; None where a place has no score of its own.
        real_scores, fake_scores: D's scores of some real and generated points `(M,)`, float32; None without a field.
        places: generated points `(A, d)`, float32 ...
        pushes: ... and minus the gradient of G's loss by each `(A, d)`, float32.
        value: minus D's loss, what D maximises: scalar, float32.
    """

    images: int
    samples: Tensor
    places: Tensor
    pushes: Tensor
    value: Tensor
    field: Tensor | None = None
    real_scores: Tensor | None = None
    fake_scores: Tensor | None = None


@dataclass(frozen=True, eq=False)
class FrameData:
    """What all frames of a run have in common.

    Attributes:
        real: real points `(N, d)`, float32, in the units of the networks.
        low, high: corners of the window `(d,)`, float64, in the units of the networks.
        offset, scale: a point x of the networks is `offset + scale * x` in the units of the data, float64 `(d,)`.
    """

    real: Tensor
    low: Tensor
    high: Tensor
    offset: Tensor
    scale: Tensor

    @property
    def lattice(self) -> Tensor:
        """The places `(K, d)`, float32, at which D is recorded: the middles of equal cells of the window."""
        return lattice(self.low, self.high, LATTICE[len(self.low)]).float()

    @classmethod
    def of(cls, real: Tensor, offset: Tensor, scale: Tensor) -> Self:
        """The window shows all points; on the line the bulk of them and, unless it is far, 0, where training begins."""
        x = real.double()
        low, high = x.min(0).values, x.max(0).values
        if x.shape[1] == 1:
            low, high = _bulk(x[:, 0])
            far = 3 * (high - low)
            low, high = (low.clamp(max=0), high) if high <= far else (low, high)
            low, high = (low, high.clamp(min=0)) if low >= -far else (low, high)
        middle, half = (low + high) / 2, (0.6 if len(low) == 1 else 0.7) * (high - low).max()
        half = half if half > 0 else torch.ones((), dtype=torch.float64)
        return cls(real, middle - half, middle + half, offset, scale)


def lattice(low: Tensor, high: Tensor, side: int) -> Tensor:
    """The middles `(side ** d, d)`, float64, of equal cells of a window with corners `(d,)`; the last axis varies
    fastest.
    """
    part = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    axes = [start + (end - start) * part for start, end in zip(low, high, strict=True)]
    return torch.cartesian_prod(*axes).reshape(-1, len(axes))


def save_frame(run: Path, frame: Frame) -> None:
    """Write a frame of a run, in place of one after as many images."""
    named = {name: value for name, value in vars(frame).items() if isinstance(value, Tensor)}
    _save(run, f"{frame.images:09d}", named)


def save_frame_data(run: Path, data: FrameData) -> None:
    """Write what the frames of a run have in common."""
    _save(run, _DATA, vars(data))


def load_frames(run: Path) -> tuple[FrameData, list[Frame]] | None:
    """What the frames of a run have in common, and the frames by images; None where none was recorded.

    Raises `ValueError` for a damaged file.
    """
    folder = plain_folder(run / FRAMES)
    common = folder / f"{_DATA}.safetensors"
    names = [p for p in folder.glob("*.safetensors") if p.stem.isdecimal() and p.stem.isascii()]
    if not names or not common.exists():
        return None
    with taken_apart(common):
        data = FrameData(**read_tensors(common)[0])
        _check(common, vars(data), {"real": -1, "low": 0, "high": 0, "offset": 0, "scale": 0}, len(data.low))
        window = torch.stack([data.low, data.high, data.offset, data.scale])
        if not bool(window.isfinite().all() and (data.high > data.low).all() and (data.scale > 0).all()):
            raise ValueError(f"{common} is damaged: its window and units are {window.tolist()}")
    frames = []
    for path in sorted(names, key=lambda p: int(p.stem)):
        with taken_apart(path):
            frame = Frame(int(path.stem), **read_tensors(path)[0])
            _check(path, vars(frame), {"samples": -1, "places": -1, "pushes": len(frame.places)}, len(data.low))
            _check_scores(path, frame, LATTICE[len(data.low)] ** len(data.low))
            frames.append(frame)
    return data, frames


def _check(path: Path, found: dict[str, Tensor], rows: dict[str, int], d: int) -> None:
    """Raise `ValueError` unless tensors have the rows wanted, -1 for any number and 0 for a vector, of d numbers."""
    for name, count in rows.items():
        shape = tuple(found[name].shape)
        fits = shape == (d,) if count == 0 else len(shape) == 2 and shape[1] == d and 0 < shape[0] <= _MOST
        if d not in LATTICE or not fits or (count > 0 and shape[0] != count) or not found[name].is_floating_point():
            raise ValueError(f"{path} is damaged: {name} has the shape {shape}")


def _check_scores(path: Path, frame: Frame, places: int) -> None:
    scores = (frame.field, frame.real_scores, frame.fake_scores)
    shapes = [None if one is None else tuple(one.shape) for one in scores]
    if frame.value.dim() or (any(one is not None for one in scores) and (None in shapes or shapes[0] != (places,))):
        raise ValueError(f"{path} is damaged: its scores have the shapes {shapes}")
    if any(one is not None and (one.dim() != 1 or not 0 < len(one) <= _MOST) for one in scores):
        raise ValueError(f"{path} is damaged: its scores have the shapes {shapes}")


def _save(run: Path, name: str, tensors: dict[str, Tensor]) -> None:
    folder = plain_folder(run / FRAMES, make=True)
    replace_durably(folder / f"{name}.safetensors", safetensors.torch.save(separated(tensors)))


def _bulk(x: Tensor) -> tuple[Tensor, Tensor]:
    """The ends `(1,)` of a range that contains all of x `(N,)` but far tails, of at most 1 % each."""
    low, first, quarter, median, three_quarters, last, high = x.quantile(
        torch.tensor([0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0], dtype=torch.float64)
    )
    reach = 6 * (three_quarters - quarter) if three_quarters > quarter else torch.tensor(math.inf, dtype=torch.float64)
    start, end = torch.minimum(first, median - reach), torch.maximum(last, median + reach)
    return torch.maximum(low, start)[None], torch.minimum(high, end)[None]
