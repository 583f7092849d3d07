"""The photographs of flowers of `../shared/data/flowers128.npz`, at any size."""

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.packs import decoded
from benchmarks.places import SHARED

FLOWERS = SHARED / "data" / "flowers128.npz"


def flowers(folder: Path, part: str, size: int) -> Path:
    """A file of the photographs of a part, "train" or "val", decoded, `size` pixels a side; written where absent."""
    file = folder / f"flowers-{size}-{part}.npy"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with np.load(FLOWERS) as pack:
            chosen = np.flatnonzero(pack["split"].astype(str) == part)
            sized = (one.resize((size, size), Image.Resampling.LANCZOS) for one in decoded(pack, "images", chosen))
            np.save(file, np.stack([np.asarray(image) for image in sized]))
    return file
