"""Copies: of training samples among generated ones, and within the data."""

__all__ = ()

import torch
from torch import Tensor

from zerosum.diagnostics.signals._measures import nearest
from zerosum.diagnostics.signals.subject import Subject

_COPY = 0.1  # of the median distance between neighbours
_SAME = 1e-3
_OF_A_CLASS = 8  # real samples on average, at least, for the balance of classes
_GREY = 0.5 / 127.5  # half a level of 256


def memory(subject: Subject) -> dict[str, Tensor]:
    """Distances to the nearest training sample, over those between real samples."""
    real = subject.real
    usual = real.neighbours.median().clamp_min(1e-12)
    distances = nearest(subject.average.features, real.train) / usual
    epochs = torch.tensor(subject.images / real.count)
    return {"nearest": distances.median(), "copies": (distances < _COPY).float().mean(), "epochs": epochs}


def data(subject: Subject) -> dict[str, Tensor]:
    """What is odd in the real samples themselves."""
    real, found = subject.real, {}
    if real.embedding.is_image:  # equal texts, or points on a grid, are no copies
        found["data_copies"] = (real.neighbours <= _SAME * real.spread).float().mean()
        flat = torch.cat([real.x, real.others]).flatten(1)
        found["data_constant"] = ((flat.amax(1) - flat.amin(1)) < _GREY).float().mean()
    if real.labels is not None and real.others_labels is not None and real.classes > 1:
        labels = torch.cat([real.labels, real.others_labels])
        if len(labels) >= _OF_A_CLASS * real.classes:  # of fewer, some classes are missing at random
            shares = torch.bincount(labels, minlength=real.classes).float() / len(labels)
            found["data_balance"] = torch.special.entr(shares).sum().exp() / real.classes
    return found
