"""Streaming mean and covariance of features: the statistics that the Frechet distance needs."""

__all__ = ["Moments", "moments_of"]

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from zerosum._arrays import Array, tensor
from zerosum._disk import replace_durably
from zerosum._foreign import read_tensors
from zerosum._json import read_json
from zerosum.metrics._features import check_features, exact, in_chunks

FORMAT = "zerosum moments 1"


class Moments:
    """Streaming mean and covariance in float64, in constant memory.

    Stores the count n, the mean m and the scatter M = sum (x - m)(x - m)^T. Two sets are merged exactly (Chan, Golub
    and LeVeque 1979, "Updating formulae", equation 2.1):

        m = m_a + (n_b / n) (m_b - m_a),  M = M_a + M_b + (n_a n_b / n) (m_b - m_a)(m_b - m_a)^T

    so batches of any size, in any order and on any number of ranks give the same moments up to rounding, without
    cancellation far from the origin.

    Args:
        dimensions: number of features, d.

    Attributes:
        count: number of samples.
        mean: their mean, float64 `(d,)`.
    """

    def __init__(self, dimensions: int) -> None:
        if dimensions < 1:
            raise ValueError(f"dimensions must be 1 or more; found {dimensions}")
        self.count = 0
        self.mean = torch.zeros(dimensions, dtype=torch.float64)
        self._scatter = torch.zeros(dimensions, dimensions, dtype=torch.float64)

    @property
    def covariance(self) -> Tensor:
        """The unbiased covariance M / (n - 1), float64 `(d, d)`; raises `ValueError` for fewer than two samples."""
        return self._scatter / self._freedom

    @property
    def variance(self) -> float:
        """The trace of the covariance; raises `ValueError` for fewer than two samples."""
        return float(self._scatter.trace()) / self._freedom

    @property
    def _freedom(self) -> int:
        if self.count < 2:
            raise ValueError(f"a covariance needs 2 or more samples; found {self.count}")
        return self.count - 1

    def add(self, features: Array) -> None:
        """Add features `(B, d)` of any floating-point dtype; raises `ValueError` for invalid features or NaN."""
        features = tensor(features)
        check_features(features, "added", least=0)
        if features.shape[1] != len(self.mean):
            raise ValueError(f"these moments are of {len(self.mean)} dimensions; found features of {features.shape[1]}")
        for _, part in in_chunks(features):
            part = part.to(self.mean.device)
            # Centred on the first row, so that equal rows have a scatter of exactly 0.
            offset = part - part[0]
            mean = offset.mean(0)
            self._take(len(part), part[0] + mean, offset.sub_(mean))

    def merge(self, other: "Moments") -> None:
        """Add the samples of other moments; raises `ValueError` if they have other dimensions."""
        if len(other.mean) != len(self.mean):
            raise ValueError(f"these moments are of {len(self.mean)} dimensions; found others of {len(other.mean)}")
        if other.count:
            self._scatter += other._scatter
            self._take(other.count, other.mean, other._scatter[:0])

    def _take(self, count: int, mean: Tensor, centred: Tensor) -> None:
        """Add `count` samples with this mean and the scatter of the rows of `centred`."""
        total = self.count + count
        drift = mean - self.mean
        rows = torch.cat([centred, (drift * (self.count * count / total) ** 0.5)[None]])
        self._scatter.addmm_(rows.T, rows)
        self.mean += drift * (count / total)
        self.count = total

    def save(self, path: Path, facts: Mapping[str, str] = {}) -> None:
        """Write to a safetensors file, atomically, with metadata that `moments_facts` reads."""
        replace_durably(path, self.content(facts))

    def content(self, facts: Mapping[str, str] = {}) -> bytes:
        """The content of the file that `save` writes."""
        tensors = {"count": torch.tensor(self.count), "mean": self.mean, "scatter": self._scatter}
        return save(tensors, {"format": FORMAT, "facts": json.dumps(dict(facts), sort_keys=True)})

    @classmethod
    def load(cls, path: Path) -> "Moments":
        """Load a file written by `save`; raises `ValueError` for any other file."""
        tensors, _ = _read(path)
        count, mean, scatter = (tensors[name] for name in ("count", "mean", "scatter"))
        whole = count.dim() == 0 and count.dtype == torch.int64
        whole = whole and mean.dim() == 1 and len(mean) > 0 and scatter.shape == (len(mean), len(mean))
        sound = mean.dtype == scatter.dtype == torch.float64 and bool(mean.isfinite().all() & scatter.isfinite().all())
        if not whole or not sound or int(count) < 0:
            raise ValueError(f"{path} contains no moments: a count, a mean (d,) and a scatter (d, d), finite float64")
        made = cls(len(mean))
        made.count, made.mean, made._scatter = int(count), mean, scatter
        return made


def moments_facts(path: Path) -> dict[str, str]:
    """The metadata of saved moments; raises `ValueError` if `path` is not a moments file."""
    return _read(path)[1]


def moments_of(features: Array) -> Moments:
    """The moments of features `(N, d)`."""
    features = tensor(features)
    made = Moments(features.shape[1])
    made.mean, made._scatter = (exact(part.to(features.device)) for part in (made.mean, made._scatter))
    made.add(features)
    return made


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and facts of a moments file."""
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT or not {"count", "mean", "scatter"} <= tensors.keys():
        raise ValueError(f"{path} contains no moments in the format {FORMAT!r}; found {metadata.get('format')!a:.80}")
    facts = read_json(f"{path}, the facts of moments,", metadata.get("facts", ""))
    if not isinstance(facts, dict) or not all(isinstance(fact, str) for fact in facts.values()):
        raise ValueError(f"{path} contains moments whose facts are not texts by name; found {facts!a:.80}")
    return tensors, facts
