"""Checks of features, and float64 access to them in chunks of bounded size."""

from collections.abc import Iterator

import torch
from torch import Tensor

from zerosum._arrays import described

AT_ONCE = 2**21  # elements of a chunk: 16 MB of float64


def check_features(features: Tensor, name: str, least: int = 2) -> None:
    """Raise `ValueError` unless these are finite floating-point features `(N, d)` of at least `least` samples."""
    if features.dim() != 2 or not features.is_floating_point():
        raise ValueError(f"{name} features must be floating-point numbers (N, d); found {described(features)}")
    if features.shape[1] < 1:
        raise ValueError(f"{name} features need one dimension or more; found {described(features)}")
    if len(features) < least:
        raise ValueError(f"{least} or more {name} samples are needed; found {len(features)}")
    rows = chunk_rows(features)
    for start in range(0, len(features), rows):
        broken = ~torch.isfinite(features[start : start + rows]).all(1)
        if bool(broken.any()):
            raise ValueError(f"{name} features must be finite; sample {start + int(broken.int().argmax())} is not")


def check_pair(real: Tensor, fake: Tensor, least: int = 2) -> None:
    """Raise `ValueError` unless both are features as above, of the same number of dimensions."""
    check_features(real, "real", least)
    check_features(fake, "fake", least)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"real and fake features need equal dimensions; found {real.shape[1]} real and {fake.shape[1]} fake"
        )


def chunk_rows(features: Tensor) -> int:
    """The number of rows of features `(N, d)` in a chunk."""
    return max(1, AT_ONCE // features.shape[1])


def in_chunks(features: Tensor, rows: int | None = None) -> Iterator[tuple[int, Tensor]]:
    """Yield chunks of features `(N, d)` in float64, each with the index of its first row."""
    rows = rows or chunk_rows(features)
    for start in range(0, len(features), rows):
        yield start, exact(features[start : start + rows])


def exact(values: Tensor) -> Tensor:
    """Values in float64, on their device, or on the CPU if the device has no float64 (MPS)."""
    return (values.cpu() if values.device.type == "mps" else values).double()


def mean(features: Tensor) -> Tensor:
    """The mean of features `(N, d)` in float64, `(d,)`, exact if all rows are equal."""
    first = exact(features[0])
    return first + sum((part - first).sum(0) for _, part in in_chunks(features)) / len(features)
