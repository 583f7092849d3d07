"""What was seen of a real side, kept for the next time by what it was: the same pictures under the same extractor."""

__all__ = ()

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from zerosum._cache import cache_folder
from zerosum._disk import replace_durably
from zerosum.evaluation.gathered import Gathered
from zerosum.metrics.moments import Moments

MOST = 4 << 30  # bytes of all that is kept; what was used longest ago makes room


def entry(row: str, extractor: Mapping[str, str]) -> "Entry":
    """The place of samples of this hash, in their order, as an extractor of these facts sees them."""
    told = json.dumps([row, dict(extractor)], sort_keys=True)
    return Entry(cache_folder("evaluation"), hashlib.sha256(told.encode()).hexdigest()[:32])


@dataclass(frozen=True)
class Entry:
    """The place of one side under one extractor.

    Attributes:
        folder: of the cache.
        key: of the side and the extractor.
    """

    folder: Path
    key: str

    def moments(self) -> Moments | None:
        """The moments of its features, if they are there; a damaged file counts as none."""
        try:
            os.utime(self._moments)
            return Moments.load(self._moments)
        except (OSError, ValueError):
            return None

    def features(self) -> Tensor | None:
        """Its features `(count, d)`, likewise."""
        try:
            os.utime(self._features)
            return safetensors.torch.load_file(str(self._features)).get("features")
        except (OSError, ValueError, safetensors.SafetensorError):
            return None

    def store(self, found: Gathered) -> None:
        """Keep what was gathered; raises `OSError` where the disk refuses."""
        self.folder.mkdir(parents=True, exist_ok=True)
        x = found.features
        if x is not None and x.numel() * x.element_size() <= MOST:
            replace_durably(self._features, safetensors.torch.save({"features": x.contiguous()}))
        if found.moments is not None:
            found.moments.save(self._moments)
        self._make_room()

    @property
    def _moments(self) -> Path:
        return self.folder / f"{self.key}.moments.safetensors"

    @property
    def _features(self) -> Path:
        return self.folder / f"{self.key}.features.safetensors"

    def _make_room(self) -> None:
        """Remove what was used longest ago, until the rest takes no more than `MOST`."""
        taken = 0
        files = {file: file.stat() for file in self.folder.glob("*.safetensors")}
        for file, status in sorted(files.items(), key=lambda one: one[1].st_mtime, reverse=True):
            taken += status.st_size
            if taken > MOST:
                file.unlink(missing_ok=True)
