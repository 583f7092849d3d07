"""The packs of images in `../shared/data`: encoded images end to end, and where each begins."""

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO

import numpy as np
from PIL import Image


def decoded(pack: Mapping[str, np.ndarray], key: str, chosen: Iterable[int]) -> Iterator[Image.Image]:
    """The images under a key of a pack, in RGB: those at some indices."""
    blob, offsets = pack[f"{key}_blob"].tobytes(), pack[f"{key}_offsets"]
    for i in chosen:
        with Image.open(BytesIO(blob[offsets[i] : offsets[i + 1]])) as image:
            yield image.convert("RGB")
