"""The photographs of flowers of `../shared/data/flowers128.npz`, at any size."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.places import SHARED

FLOWERS = SHARED / "data" / "flowers128.npz"


def flowers(folder: Path, part: str, size: int) -> Path:
    """A file of the photographs of a part, "train" or "val", decoded, `size` pixels a side; written where absent."""
    file = folder / f"flowers-{size}-{part}.npy"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with np.load(FLOWERS) as pack:
            blob, offsets, split = pack["images_blob"].tobytes(), pack["images_offsets"], pack["split"]
        chosen = np.flatnonzero(np.asarray(split).astype(str) == part)
        np.save(file, np.stack([_decoded(blob[offsets[i] : offsets[i + 1]], size) for i in chosen]))
    return file


def _decoded(content: bytes, size: int) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS))
