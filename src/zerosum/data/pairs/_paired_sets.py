"""A data set whose conditions are the samples of another."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from zerosum.conditions.image import Image
from zerosum.data.conditions import Conditions
from zerosum.data.dataset import Dataset
from zerosum.data.fingerprints import fingerprint


@dataclass(frozen=True, eq=False)
class _Other:
    """Values that are the samples of another data set, at given indices."""

    dataset: Dataset
    indices: Tensor
    derived: bool = False

    def __len__(self) -> int:
        return len(self.indices)

    def of(self, indices: Tensor, x: Tensor | None) -> Tensor:
        """The values of the samples at indices `(B,)`."""
        return self.dataset.read(self.indices[indices])

    def content(self, without: Collection[str] = ()) -> str:
        """That of the other data set."""
        return fingerprint(self.dataset, without)


def with_images(samples: Dataset, conditions: Dataset, indices: Tensor, examples: Tensor | None = None) -> Dataset:
    """Samples, whose conditions are those of another data set at some indices; without pairs, with these examples."""
    channels, height, width = conditions.shape
    kind = Image((channels, height, width), examples, paired=examples is None)

    def broken() -> Mapping[str, Collection[int]]:
        return {**samples.broken(), **conditions.broken()}

    def news() -> tuple[str, ...]:
        return (*samples.news(), *conditions.news())

    return replace(
        samples,
        conditions=Conditions(kind, _Other(conditions, indices)),
        notes=(*samples.notes, *conditions.notes),
        broken=broken if examples is None else dict,  # without pairs, a file is read at other indices as a condition
        news=news,
        ahead=samples.ahead or conditions.ahead,
    )
