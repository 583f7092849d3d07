"""How generated samples are matched with those of a reference set: by class, by condition, in pairs."""

__all__ = ()

from dataclasses import replace

import torch
from torch import Tensor

from zerosum.evaluation.gathered import Gathered, Need
from zerosum.evaluation.sets import Sample, SampleSet
from zerosum.game.random import stream


def reference_labels(reference: SampleSet, data: SampleSet, n: int, seed: int) -> Tensor | None:
    """Labels `(n,)` for a conditional generator, with the class frequencies of the reference set, shuffled.

    None for uniform classes: without classes, with other classes, or if all are equally frequent in the reference.
    """
    counts = reference.counts
    if (
        data.take_labelled is None
        or counts is None
        or data.classes != reference.classes
        or bool((counts == counts[0]).all())
    ):
        return None
    places = (torch.arange(n, dtype=torch.float64) + 0.5) / n * float(counts.sum())
    labels = torch.searchsorted(counts.cumsum(0).double(), places, right=True)
    return labels[torch.randperm(n, generator=stream(seed, "evaluation labels", n))]


def with_classes(reference: SampleSet, data: SampleSet, sample: Sample, needs: frozenset[Need]) -> Sample:
    """The sample with labels numbered as in the reference set; classes are matched by name."""
    if "labels" not in needs or sample.labels is None or data.classes == reference.classes:
        return sample
    unknown = [name for name in data.classes if name not in reference.classes]
    if unknown:
        raise ValueError(f"{data.name} has a class {unknown[0]!r} that {reference.name} lacks: use equal classes")
    places = torch.tensor([reference.classes.index(name) for name in data.classes])
    return replace(sample, labels=places[sample.labels])


def with_conditions(reference: SampleSet, found: Gathered, needs: frozenset[Need], seed: int) -> Gathered:
    """With the captions of the reference set, and the conditions that it derives from the images.

    Raises `ValueError` where it has none, and derives none.
    """
    if "captions" in needs:
        if reference.conditions is None or not reference.captioned:
            raise ValueError(
                f"{reference.name} has no captions, but a requested metric compares images with them: remove "
                f"that metric"
            )
        found = replace(found, captions=reference.conditions(seed)(slice(0, found.count)))
    if "conditions" not in needs:
        return found
    if reference.derive is None or found.images is None:
        raise ValueError(
            f"{reference.name} derives no conditions from its images, but a requested metric compares them: remove "
            f"that metric"
        )
    return replace(found, conditions=reference.derive(seed, found.images))


def check_pairs(real: SampleSet, fake: SampleSet, count: int, generated: int) -> None:
    """Raise `ValueError` unless `generated` samples of a set belong to `count` real ones, by condition or by order."""
    if fake.count is None and (fake.take_under is None or real.conditions is None):
        raise ValueError(
            f"{fake.name} does not generate samples under conditions of {real.name}, but a requested metric compares "
            f"pairs: use data whose conditions are images, or remove that metric"
        )
    if fake.count is None and not real.paired:
        raise ValueError(
            f"{real.name} has samples that do not belong to their conditions, but a requested metric compares pairs: "
            f"use data of pairs, or remove that metric"
        )
    if generated != count or fake.count not in (None, real.count):
        raise ValueError(
            f"{real.name} has {count:,} samples and {fake.name} {fake.count or generated:,}, but a requested metric "
            f"compares pairs: use as many of both"
        )
