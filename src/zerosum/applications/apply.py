"""Apply a generator to a file, a folder or a clip."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zerosum.data.image_files import MOVING, WRITTEN, read_frames, read_image, write_clip, write_image
from zerosum.recipes.fit import convert_fields
from zerosum.runs.applied import applied, continued, kind_of, with_channels
from zerosum.runs.generator import TrainedGenerator

_HIDDEN = 128  # of alpha, below which a pixel is filled in; of a mask, from which on


@dataclass(frozen=True)
class ApplyOptions:
    """Options of `apply_files`.

    Attributes:
        mask: an image file for generators that fill in: white where pixels are filled in; by default the transparent
            pixels of the image.
        seed: random seed of the latents.
        variations: results for each image, each from another latent.
        frames: frames by which clips are continued.
    """

    mask: Path | None = None
    seed: int = 0
    variations: int = 1
    frames: int = 10

    def __post_init__(self) -> None:
        convert_fields(self)
        if self.variations < 1 or self.frames < 1:
            raise ValueError(
                f"variations and frames are numbers of images, at least 1; found {self.variations} and {self.frames}"
            )


@dataclass(frozen=True)
class FileResult:
    """What became of a file: the files written, or the reason why none was."""

    source: Path
    written: tuple[Path, ...] = ()
    error: str = ""


def apply_files(
    generator: TrainedGenerator,
    source: Path,
    target: Path,
    options: ApplyOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[FileResult]:
    """Apply a generator to an image file, or to all files of a folder, and write the results.

    A file of a folder keeps its name; what cannot be written in its format becomes `NAME.png`. Several variations get
    the names `NAME-1`, `NAME-2`, ... A clip is an animated file, continued as one of the format of the target.

    Args:
        generator: a generator whose condition is an image.
        source: a file or a folder.
        target: a file or a new folder.
        options: mask, seed, variations and frames.
        progress: called with the number of files done and in total.

    Returns:
        What became of each file. Files that are no images are reported, not raised.

    Raises:
        ValueError: for a generator of another kind, a source that does not exist, or a target that would mix with other
            files.
    """
    options, kind = options or ApplyOptions(), kind_of(generator)
    _check(source, target, moving=kind.content == "frames")
    names = _names(source, target, moving=kind.content == "frames")
    mask = None if options.mask is None else _mask(options.mask)
    results = []
    for done, (file, out) in enumerate(names, 1):
        try:
            if kind.content == "frames":
                written = _continue(generator, file, out, options)
            else:
                written = _apply(generator, file, out, options, mask)
            results.append(FileResult(file, written))
        except (ValueError, OSError, MemoryError) as error:
            results.append(FileResult(file, error=str(error) or type(error).__name__))
        if progress is not None:
            progress(done, len(names))
    return results


def _apply(
    generator: TrainedGenerator, file: Path, out: Path, options: ApplyOptions, mask: NDArray[np.bool_] | None
) -> tuple[Path, ...]:
    image, masked = read_image(file), kind_of(generator).content == "masked"
    hidden = mask
    if masked and hidden is None and image.alpha is not None:
        hidden = image.alpha < _HIDDEN
    pixels = image.colours if masked else image.pixels
    written = []
    for number in range(options.variations):
        made = applied(generator, pixels, options.seed, number, hidden)
        path = out if options.variations == 1 else out.with_name(f"{out.stem}-{number + 1}{out.suffix}")
        out.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, made, None if masked else image.alpha)
        written.append(path)
    return tuple(written)


def _continue(generator: TrainedGenerator, file: Path, out: Path, options: ApplyOptions) -> tuple[Path, ...]:
    frames, duration = read_frames(file)
    further = [*continued(generator, frames, options.frames, options.seed)]
    before = [with_channels(frame, further[0].shape[2]) for frame in frames]
    out.parent.mkdir(parents=True, exist_ok=True)
    write_clip(out, [*before, *further], duration)
    return (out,)


def _check(source: Path, target: Path, moving: bool) -> None:
    if not source.exists():
        raise ValueError(f"there is no file or folder {source}")
    if target.exists() and target.resolve() == source.resolve():
        raise ValueError(f"{target} is the input: name another output")
    if source.is_dir():
        if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
            raise ValueError(f"{target} is not empty: name a new folder")
        if source.resolve() in target.absolute().parents:
            raise ValueError(f"{target} is inside {source}: name a folder outside")
        return
    known = MOVING if moving else WRITTEN
    if target.suffix.lower() not in known:
        raise ValueError(f"the output of a file is one of {', '.join('FILE' + one for one in known)}; found {target}")


def _names(source: Path, target: Path, moving: bool) -> list[tuple[Path, Path]]:
    """Every input file, with its output."""
    if not source.is_dir():
        return [(source, target)]
    known = MOVING if moving else WRITTEN
    files = [path for path in sorted(_walk(source)) if not path.name.startswith(".")]
    if not files:
        raise ValueError(f"{source} has no files")
    outputs = []
    for path in files:
        inside = target / path.relative_to(source)
        suits = path.suffix.lower() in known
        outputs.append(inside if suits else inside.with_name(inside.name + (".webp" if moving else ".png")))
    return [*zip(files, outputs, strict=True)]


def _walk(folder: Path) -> Iterator[Path]:
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            yield from _walk(child)
        elif child.is_file():
            yield child


def _mask(path: Path) -> NDArray[np.bool_]:
    try:
        pixels = read_image(path).pixels
    except ValueError as error:
        raise ValueError(f"the mask {path} {error}") from None
    hidden: NDArray[np.bool_] = pixels.mean(2) >= _HIDDEN
    return hidden
