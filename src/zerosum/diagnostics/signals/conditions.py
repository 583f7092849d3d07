"""How samples follow their conditions."""

__all__ = ()

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from zerosum.diagnostics.signals.subject import Subject

_SOME = 128  # samples, at most, whose condition and latent are exchanged


def labelled(subject: Subject) -> dict[str, Tensor]:
    """Classes of samples by the nearest mean of real ones, where the data has labels."""
    real = subject.real
    if real.labels is None or real.others_labels is None or real.classes < 2:
        return {}
    means, there = _class_means(real.features, real.labels, real.classes)
    by = {"real": _classes(real.others_features, means), "samples": _classes(subject.average.features, means)}
    shares = [_shares(found, real.classes) for found in by.values()]
    # Shares of as many real samples differ as well.
    noise = (_shares(_classes(real.features, means), real.classes) - shares[0]).abs().sum() / 2
    found = {"class_shift": (((shares[1] - shares[0]).abs().sum() / 2) - noise).clamp_min(0)}
    if real.c is not None and not real.c.is_floating_point() and real.c.dim() == 1:
        guessed = 1 / there
        right = (by["real"] == real.others_labels).float().mean() - guessed
        if right > guessed:  # else the nearest mean says nothing of the class
            found["class_accuracy"] = ((by["samples"] == real.labels).float().mean() - guessed) / right
        found["class_spread"] = _within(subject.average.features, real.labels) / _within(real.features, real.labels)
    return found


def _class_means(x: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, int]:
    """The mean of each class `(classes, d)`, infinitely far for one without samples, and how many have some."""
    member = one_hot(labels, classes).to(x.dtype)
    sums, counts = member.T @ x, member.sum(0)[:, None]
    return torch.where(counts > 0, sums / counts.clamp_min(1), 1e6 * x.abs().max()), int((counts > 0).sum())


def _classes(x: Tensor, means: Tensor) -> Tensor:
    return torch.cdist(x, means).argmin(1)


def _shares(labels: Tensor, classes: int) -> Tensor:
    return torch.bincount(labels, minlength=classes).float() / len(labels)


def _within(x: Tensor, labels: Tensor) -> Tensor:
    """The mean distance of two samples of one class."""
    same = labels[:, None] == labels[None]
    same.fill_diagonal_(False)
    return (torch.cdist(x, x) * same).sum() / same.sum().clamp_min(1)


def conditional(subject: Subject) -> dict[str, Tensor]:
    """How samples of the averaged G depend on condition and latent: both exchanged among the samples, one at a time."""
    if subject.real.c is None:
        return {}
    G, c, z = subject.averaged, subject.real.c[:_SOME], subject.z[:_SOME]
    rolled, here = c.roll(1, 0), subject.average.features[:_SOME]
    other_c = subject.real.embedding(subject.generate(G, z, rolled))
    other_z = subject.real.embedding(subject.generate(G, z.roll(1, 0), c))
    changed = (c != rolled).flatten(1).any(1) if c.dim() > 1 else c != rolled
    if not bool(changed.any()):
        return {}
    both = (here - here.roll(1, 0)).norm(dim=1)[changed].mean()
    moved = [(here - other).norm(dim=1)[changed].mean() / both for other in (other_c, other_z)]
    return {"condition_response": moved[0], "latent_response": moved[1]}
