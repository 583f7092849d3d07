"""A few labelled samples of each class, for learning from few labels."""

__all__ = ["FewLabels"]

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum._checks import require
from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import check_part, name_hash, subset
from zerosum.data.sources.digits import Digits


@dataclass(frozen=True)
class FewLabels:
    """A few samples of each class of another source; half of each class is held out.

    The half that is held out is chosen by the hash of the samples' names, or of their indices where they have no names,
    and does not depend on the other arguments. The few are drawn from the rest; with the same seed, more of them
    contain fewer.

    Args:
        source: a source with class labels.
        per_class: number of samples of each class, at least 1.
        seed: seed of the draw.
        part: "train" for the few, "test" for the half that is held out, or "all" for every sample of the source.
    """

    source: Source = Digits()
    per_class: int = 50
    seed: int = 0
    part: str = "train"

    def __post_init__(self) -> None:
        check_part(self, self.part)
        require(self, self.per_class >= 1, "per_class >= 1")

    def open(self) -> Dataset:
        """Open the part; raises `ValueError` without labels, and where a class has too few samples."""
        dataset = self.source.open()
        if dataset.labels is None:
            raise ValueError(f"few labels are drawn from data with class labels, which {dataset.name} has not")
        if self.part == "all":
            return dataset
        random = torch.Generator().manual_seed(self.seed)
        chosen = [
            self._of_class(dataset, name, (dataset.labels == label).nonzero().flatten(), random)
            for label, name in enumerate(dataset.classes)
        ]
        settings = "" if self.part == "test" else f" {self.per_class} {self.seed}"
        return subset(dataset, torch.cat(chosen).sort().values, f"few labels {self.part}{settings}")

    def _of_class(self, dataset: Dataset, name: str, members: Tensor, random: torch.Generator) -> Tensor:
        """The indices of the part's samples of a class, of all its samples' indices."""
        half = len(members) // 2
        if half < 1 or len(members) - half < self.per_class:
            raise ValueError(
                f"class {name} of {dataset.name} has {len(members)} samples, of which half are held out: give at least "
                f"{max(2, 2 * self.per_class - 1)} of each class, or a smaller per_class than {self.per_class}"
            )
        ordered = torch.tensor(sorted(members.tolist(), key=lambda index: name_hash(dataset.named(index))))
        if self.part == "test":
            return ordered[:half]
        rest = ordered[half:]
        return rest[torch.randperm(len(rest), generator=random)[: self.per_class]]
