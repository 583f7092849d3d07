"""Options of extractors created by name."""

from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class ExtractorOptions:
    """Options with which an extractor is created by name.

    Attributes:
        argument: the text after the colon; empty where there is none.
        dtype: data type of the computation.
        device: device of the computation.
        progress: called with the bytes downloaded and the total while weights are downloaded.
    """

    argument: str
    dtype: torch.dtype
    device: torch.device
    progress: Callable[[int, int], None] | None = None

    def is_plain(self, name: str) -> None:
        """Raise `ValueError` for an argument or another data type than float32."""
        if self.argument:
            raise ValueError(f"{name} is made from nothing else; found {name}:{self.argument}")
        self.is_float32(name)

    def is_float32(self, name: str) -> None:
        """Raise `ValueError` for another data type than float32."""
        if self.dtype != torch.float32:
            raise ValueError(f"{name} computes in float32 only; found {str(self.dtype).removeprefix('torch.')}")
