"""Clips in files: animations, videos and folders of numbered frames."""

__all__ = ["Clips"]

import math
import posixpath
import re
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from threading import Lock

import torch
from torch import Tensor

from zerosum._checks import require
from zerosum._paths import PATH, tidy_paths
from zerosum.data._paths import printable
from zerosum.data.dataset import Dataset
from zerosum.data.held_out import check_part, part_of
from zerosum.data.pairs._windows import Layout, windows
from zerosum.data.sources._decode import Header
from zerosum.data.sources._files import Files, counted, image_files, passed_over
from zerosum.data.sources._frames import SUFFIXES, decode_frames, frames_header
from zerosum.data.sources.folders import IN_MEMORY, common_size, threaded

_NUMBER = re.compile(r"(?<![0-9])[0-9]{1,18}(?![0-9])")


@dataclass(frozen=True)
class Clips:
    """Clips in a folder or zip: the condition is the past frames, the sample the future ones.

    A clip is an animated GIF, WebP or PNG file, a video (`.mp4`, `.m4v`, `.mov`, `.mkv`, `.webm` or `.avi`; needs the
    extra `video`), or all still images of one folder, in the order of the last number in each name. Every window of
    consecutive frames is a sample; clips that are too short for one are left out, with a note. Durations of frames, and
    a video's sound and rotation, are not used. Frames are decoded when first read, and up to 1 GiB of them is kept.

    Args:
        folder: the folder or `.zip`.
        past: frames of the condition, stacked as channels, the oldest first.
        future: frames of the sample, stacked as channels.
        size: height and width to which frames are resized and cropped, as in `Images`.
        part: "train", "test" or "all": one clip in ten is held out whole, by its name.
    """

    folder: str = field(metadata=PATH)
    past: int = 4
    future: int = 1
    size: int | tuple[int, int] | None = None
    part: str = "train"

    def __post_init__(self) -> None:
        tidy_paths(self)
        require(self, self.past >= 1 and self.future >= 1, "past >= 1 and future >= 1")
        sizes = self.size if isinstance(self.size, tuple) else (self.size or 1,) * 2
        require(self, self.size != 0 and len(sizes) == 2 and min(sizes) >= 1, "size >= 1, or (H, W)")
        check_part(self, self.part)

    def open(self) -> Dataset:
        """Read the headers of all files; raises `ValueError` for broken ones, and if no clip is long enough."""
        files = image_files(self.folder, SUFFIXES)
        found = dict(zip(files.names, threaded(partial(_header, files), files.names), strict=True))
        files = files.without([name for name, (header, _) in found.items() if header.sheet])
        headers = [found[name][0] for name in files.names]
        size, notes = common_size(self.folder, self.size, "crop", headers)
        grey = all(header.grey for header in headers)
        reader = _Reader(files, (1 if grey else 3, *size), {name: found[name][1] for name in files.names})
        clips = _clips(files, {name: found[name][1] for name in files.names})
        needed = self.past + self.future
        long = [clip for clip in clips if len(clip.frames) >= needed]
        if not long:
            raise ValueError(
                f"{self.folder} has no clip of {needed} frames, the past and the future ones; the longest of "
                f"{len(clips):,} has {max(len(clip.frames) for clip in clips)}: use fewer frames, or longer clips"
            )
        starts = [(number, start) for number, clip in enumerate(long) for start in range(len(clip.frames) - needed + 1)]
        places = torch.tensor(starts)

        def frames(index: Tensor, first: int, end: int) -> Tensor:
            return torch.stack(
                [reader.read(long[clip].frames[start + first : start + end]) for clip, start in places[index].tolist()]
            )

        def broken() -> dict[str, list[int]]:
            parts = {name: [(name, index) for index in range(found[name][1])] for name in reader.broken}
            return {
                name: [n for n, (c, start) in enumerate(starts) if {*own} & {*long[c].frames[start : start + needed]}]
                for name, own in parts.items()
            }

        layout = Layout((1 if grey else 3, *size), self.past, self.future)
        dataset = windows(printable(files.path.name), len(starts), layout, frames, files.content)
        dataset = replace(
            dataset,
            notes=notes + _notes(files, len(clips) - len(long), needed, [clip for clip in long if clip.gaps]),
            broken=broken,
            named=lambda index: long[starts[index][0]].name,
            ahead=True,
        )
        return part_of(dataset, self.part)


@dataclass(frozen=True)
class _Clip:
    """A clip: its name, and the file of each frame with the frame's index within the file."""

    name: str
    frames: tuple[tuple[str, int], ...]
    gaps: bool = False


class _Reader:
    """Reads frames, and keeps those of the files that were read last, up to a limit of bytes."""

    def __init__(self, files: Files, shape: tuple[int, int, int], counts: dict[str, int]) -> None:
        self._files, self._shape, self._counts = files, shape, counts
        self._kept: OrderedDict[str, Tensor] = OrderedDict()
        self._bytes, self._lock = 0, Lock()
        self._decoded: set[str] = set()
        self.broken: set[str] = set()  # which could not be decoded and never were
        for name, count in counts.items():
            if count * math.prod(shape) > IN_MEMORY:
                raise ValueError(
                    f"{printable(files.path / name)} has {count:,} frames, of more than {IN_MEMORY >> 20:,} MiB at "
                    f"{shape[1]}x{shape[2]}: choose a smaller size, or cut it into several files"
                )

    def read(self, frames: Sequence[tuple[str, int]]) -> Tensor:
        """Frames uint8 (frames, C, H, W); raises `ValueError` with the file name for a broken file."""
        with self._lock:
            return torch.stack([self._of(name)[index] for name, index in frames])

    def _of(self, name: str) -> Tensor:
        """All frames of a file."""
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        try:
            array = decode_frames(name, self._files.read(name), self._shape[0] == 1, self._shape[1:])
            if len(array) != self._counts[name]:
                raise ValueError(f"is cut short: {len(array)} of its {self._counts[name]} frames can be decoded")
        except ValueError as error:
            self.broken |= {name} - self._decoded
            raise _named(self._files, name, error) from error
        self._decoded.add(name)
        self.broken.discard(name)
        found = torch.from_numpy(array)
        self._kept[name] = found
        self._bytes += found.nbytes
        while self._bytes > IN_MEMORY:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found


def _header(files: Files, name: str) -> tuple[Header, int]:
    try:
        with files.open(name) as file:
            return frames_header(name, file)
    except ValueError as error:
        raise _named(files, name, error) from error


def _named(files: Files, name: str, error: ValueError) -> ValueError:
    missing = (
        ""
        if isinstance(error.__cause__, ImportError)
        else ": replace it by one of the same name, or remove it if no run has begun"
    )
    return ValueError(f"{printable(files.path / name)} {error}{missing}")


def _clips(files: Files, counts: dict[str, int]) -> list[_Clip]:
    """The clips in the order of their names: files of several frames, and folders of still images."""
    folders: defaultdict[str, list[str]] = defaultdict(list)
    found = []
    for name in files.names:
        if counts[name] > 1:
            found.append(_Clip(name, tuple((name, index) for index in range(counts[name]))))
        else:
            folders[posixpath.dirname(name) or "."].append(name)
    found += [_numbered(files, folder, names) for folder, names in folders.items()]
    return sorted(found, key=lambda clip: clip.name)


def _numbered(files: Files, folder: str, names: Sequence[str]) -> _Clip:
    """The clip of the still images of a folder, in the order of their numbers."""
    order: dict[int, str] = {}
    for name in names:
        numbers = _NUMBER.findall(posixpath.basename(name).rpartition(".")[0])
        if not numbers:
            raise ValueError(
                f"{printable(files.path / name)} is one image and has no number in its name: frames are numbered, as "
                f"0001.png, and each folder of them is a clip"
            )
        other = order.setdefault(int(numbers[-1]), name)
        if other != name:
            raise ValueError(
                f"{printable(files.path / other)} and {printable(posixpath.basename(name))} have one number, "
                f"{int(numbers[-1])}: put each clip into a folder of its own"
            )
    at = sorted(order)
    steps = {after - before for before, after in pairwise(at)}
    return _Clip(folder, tuple((order[number], 0) for number in at), len(steps) > 1)


def _notes(files: Files, short: int, needed: int, gaps: Sequence[_Clip]) -> tuple[str, ...]:
    notes = [f"{short:,} clips with fewer than {needed} frames are left out"] if short else []
    if gaps:
        notes.append(f"frames are missing among the numbers of {len(gaps):,} clips, such as {printable(gaps[0].name)}")
    notes += [f"ignored {counted(files.others)} beside the clips"] if files.others else []
    return (*notes, *([f"passed over {passed_over(files.written)}"] if files.written else []))
