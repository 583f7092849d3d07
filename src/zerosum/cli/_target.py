"""Whether samples can be written to a file or folder, before the first is generated."""

import shutil
from pathlib import Path

from zerosum.runs.facts import check_count
from zerosum.runs.generator import TrainedGenerator

_COMPRESSED = 4  # files of samples are taken to be at most so many times smaller than the samples
_MOST_PLOTTED = 1 << 30  # bytes of points in a plot


def check_target(target: Path, generator: TrainedGenerator, n: int) -> None:
    """Raise `ValueError` where n samples cannot be written to a file or folder, before the first is generated."""
    check_count(n)
    if target.suffix and target.suffix.lower() not in (".npz", ".png", ".txt"):
        raise ValueError(f"{target} is none of FILE.png, FILE.npz, FILE.txt or a folder")
    if not target.suffix:
        _check_folder(target, generator)
    first = generator.sample(1)
    taken = n * first.nbytes
    if target.suffix.lower() == ".png" and not generator.is_image and taken > _MOST_PLOTTED:
        raise ValueError(f"{n:,} points are too many to plot: give a smaller --n, or write them to FILE.npz")
    there = next(folder for folder in target.absolute().parents if folder.is_dir())
    free = shutil.disk_usage(there).free
    if target.suffix.lower() != ".png" and taken > _COMPRESSED * free:
        raise ValueError(
            f"{n:,} samples take {taken / 1e9:,.1f} GB, and {there} has {free / 1e9:,.1f} GB free: give a smaller --n"
        )


def _check_folder(target: Path, generator: TrainedGenerator) -> None:
    if not generator.is_image:
        raise ValueError("points cannot be written as a folder of images: name FILE.npz or FILE.png")
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise ValueError(f"{target} is not empty: name a new folder, so that samples do not mix with other files")
