"""Two sets of images without pairs."""

__all__ = ["Unpaired"]

from dataclasses import dataclass
from pathlib import Path

import torch

from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import check_part, examples_of, part_of, subset
from zerosum.data.pairs._paired_sets import with_images
from zerosum.data.pairs.edges import Drawings
from zerosum.data.resolve import source
from zerosum.data.sources.digits import Digits
from zerosum.data.sources.torchset import MapStyle


@dataclass(frozen=True)
class Unpaired:
    """Two sets of images without pairs: images of `a` are the conditions, in a random order, of those of `b`.

    For translation without pairs, as by CycleGAN. The number of samples is that of the larger set; images of the
    smaller one repeat.

    Args:
        a: the source that is translated.
        b: the source of what it is translated to, of the same size.
        part: "train", "test" or "all": of both, one image in ten is held out by its name.
    """

    a: Source = Drawings()
    b: Source = Digits()
    part: str = "train"

    def __post_init__(self) -> None:
        check_part(self, self.part)
        for name in ("a", "b"):
            if isinstance(getattr(self, name), str | Path | MapStyle):  # a path, an array or a dataset of torch
                object.__setattr__(self, name, source(getattr(self, name)))

    def open(self) -> Dataset:
        """Open both; raises `ValueError` unless both have images of one height and width."""
        whole = self.a.open()
        first, second = (part_of(one, self.part) for one in (whole, self.b.open()))
        if not (first.is_image and second.is_image) or first.shape[1:] != second.shape[1:]:
            raise ValueError(
                f"{first.name} has samples of {first.shape} and {second.name} of {second.shape}: translation needs "
                f"images of one height and width"
            )
        count = max(len(first), len(second))
        order = torch.randperm(len(first), generator=torch.Generator().manual_seed(0))
        samples = second if len(second) == count else subset(second, torch.arange(count) % len(second), "repeated")
        examples = whole.read(examples_of(whole)).clone()
        return with_images(samples, first, order[torch.arange(count) % len(first)], examples)
