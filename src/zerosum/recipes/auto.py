"""Choose a recipe for data: what is known of the data, and the rules, in the order in which they are tried."""

__all__ = ["choose_recipe"]

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from zerosum._arrays import evenly
from zerosum.augment.adaptive import AdaptiveAugment
from zerosum.augment.pipelines import DiffAugment
from zerosum.data.dataset import Dataset, Source
from zerosum.data.resolve import source
from zerosum.data.sources.folders import Images
from zerosum.features.lite0 import PACKAGE
from zerosum.game.device import choose_device
from zerosum.game.latents import Uniform
from zerosum.recipes.named_recipes import named
from zerosum.recipes.recipe import Recipe

AUTO = "auto"  # the name by which commands ask for this choice
MINUTES = 20.0  # the budget where none is given
_SEEN = 200  # samples that are looked at
_LEVELS = 2  # of 255: neighbouring pixels that differ by less are alike
_DRAWN = 0.4  # of all neighbours: .09 to .14 are alike on photographs, .63 to .82 on drawings (docs/lab-notes.md)
_SMALL = 32  # height and width up to which images are small
_FEW, _SOME = 1_000, 10_000  # images
_PER_CLASS, _MOST_CLASSES = 100, 100
_LARGEST = {"cpu": 64}  # height and width to which larger images of a folder are resized, by device; else:
_LARGEST_ELSEWHERE = 128


@dataclass(frozen=True)
class DataFacts:
    """What the choice of a recipe depends on.

    Attributes:
        count: number of samples.
        shape: shape of a sample, `(C, H, W)` or `(d,)`.
        classes: number of classes; 0 without labels.
        smallest: samples of the smallest class; 0 without labels.
        numbers: whether the condition of a sample is a row of numbers, attributes or continuous.
        alike: share of neighbouring pixels that are alike, of the median image; 0 for points.
        device: type of the device: `cpu`, `cuda` or `mps`.
        lite: whether the trained network of `zerosum[lite]` is installed.
    """

    count: int
    shape: tuple[int, ...]
    classes: int = 0
    smallest: int = 0
    numbers: bool = False
    alike: float = 0.0
    device: str = "cpu"
    lite: bool = False

    @property
    def is_image(self) -> bool:
        """Whether samples are images."""
        return len(self.shape) == 3

    @property
    def is_small(self) -> bool:
        """Whether samples are images of at most 32 pixels a side."""
        return self.is_image and max(self.shape[1:]) <= _SMALL

    @property
    def is_photograph(self) -> bool:
        """Whether samples are colour images whose pixels are mostly unlike their neighbours."""
        return self.is_image and self.shape[0] == 3 and self.alike < _DRAWN

    @property
    def has_classes(self) -> bool:
        """Whether a small network can learn the classes: 2 to 100, of 100 samples and more."""
        return 2 <= self.classes <= _MOST_CLASSES and self.smallest >= _PER_CLASS

    def __str__(self) -> str:
        if not self.is_image:
            what = "points" if self.shape[0] > 1 else "numbers"
            size = f" of {self.shape[0]} dimensions" if self.shape[0] > 1 else ""
        else:
            channels, height, width = self.shape
            kind = "photographs" if self.is_photograph else "drawings" if self.alike >= _DRAWN else "images"
            what, size = f"{'colour' if channels == 3 else 'grey'} {kind}", f" of {height}x{width}"
        what = what.removesuffix("s") if self.count == 1 else what
        given = f", {self.classes} classes of {self.smallest:,} and more" * bool(self.classes)
        return f"{self.count:,} {what}{size}{given}{', each with numbers' * self.numbers}"


@dataclass(frozen=True, eq=False)
class Rule:
    """A recipe, the data that it is chosen for in words and as a function, why, and fields of the recipe to change."""

    recipe: str
    when: str
    fits: Callable[[DataFacts], bool]
    why: str
    changes: Callable[[DataFacts], Mapping[str, Any]] = lambda _: {}


# The first rule that fits decides: for further recipes, add a line above those that they are better than.
RULES = (
    Rule("gaussian", "numbers", lambda data: data.shape == (1,), "a small GAN of one number, with R1"),
    Rule(
        "ring",
        "points",
        lambda data: not data.is_image,
        "it kept all 8 modes of a ring on ten seeds",
        lambda data: {"latent": Uniform(data.shape[0])},  # no more dimensions than the data
    ),
    Rule("projection", "images with numbers", lambda data: data.numbers, "G and D take numbers as conditions"),
    Rule(
        "adcgan",
        f"images of at most {_SMALL} pixels a side with 2 to {_MOST_CLASSES} classes of {_PER_CLASS} and more",
        lambda data: data.is_small and data.has_classes,
        "of its digits 99 in 100 are of the class asked for",
    ),
    Rule(
        "projected-gan",
        f"photographs of more than {_SMALL} pixels a side, with `zerosum[lite]` installed",
        lambda data: data.is_photograph and not data.is_small and data.lite,
        "D looks through a network trained on photographs",
    ),
    Rule(
        "fastgan",
        f"fewer than {_FEW:,} images",
        lambda data: data.count < _FEW,
        "made for few images, which D sees augmented and has to redraw",
    ),
    Rule(
        "hinge",
        f"colour images of at most {_SMALL} pixels a side, fewer than {_SOME:,}",
        lambda data: data.is_small and data.shape[0] == 3 and data.count < _SOME,
        "fast on small images; D sees them augmented, since they are few",
        lambda _: {"augment": DiffAugment()},
    ),
    Rule(
        "hinge",
        f"images of at most {_SMALL} pixels a side",
        lambda data: data.is_small,
        "fast on small images: of games without labels among the best on digits",
    ),
    Rule(
        "r3gan",
        "images",
        lambda data: data.is_image,
        "kept colours and outlines of 1,852 emoji in 20 minutes; augmentation rises if D overfits",
        lambda _: {"augment": AdaptiveAugment(images=100_000)},
    ),
)


@dataclass(frozen=True, eq=False)
class Choice:
    """A recipe for data.

    Attributes:
        recipe: the recipe, with the data.
        facts: what was seen of the data.
        reasons: why, a line each.
    """

    recipe: Recipe
    facts: DataFacts
    reasons: tuple[str, ...]


def choose_recipe(data: Any, device: str = "auto") -> Choice:
    """Look at data, and return a recipe for them with the reasons.

    Number and shape of the samples, labels, channels and the device are compared with the rules, in their order; at
    most 200 samples are read. Folders of images that are larger than 64x64 on a CPU, and than 128x128 on other
    devices, are resized. The time is not part of the choice: train it with `RunOptions(minutes=20)`.

    Args:
        data: a source, a path, an array or a torch dataset.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ValueError: for data that cannot be used, are all the same, or have images or texts as conditions.
    """
    found, place = source(data), choose_device(device).type
    sized, dataset, resized = _opened(found, place)
    facts = data_facts(dataset, place)
    rule, with_lite = _rule(facts), _rule(replace(facts, lite=True))
    recipe = named(rule.recipe)
    conditional = facts.numbers or (facts.has_classes and (recipe.conditional or not facts.is_image))
    changes = {"data": sized, "conditional": conditional, **rule.changes(facts)}
    recipe = replace(recipe, name=f"{AUTO}-{rule.recipe}", **changes)
    reasons = [f"{dataset.name}: {facts}, on {place}", f"{rule.recipe}: {rule.why}"]
    reasons += [resized] * bool(resized) + [*_left_out(facts, conditional)]
    if with_lite is not rule:
        reasons.append(f"with `pip install 'zerosum[lite]'` it would be {with_lite.recipe}: {with_lite.why}")
    return Choice(recipe, facts, (*reasons,))


def data_facts(dataset: Dataset, device: str = "cpu") -> DataFacts:
    """What is known of opened data, from at most 200 samples.

    Raises `ValueError` where all of these are equal, and for conditions and samples that no rule is for.
    """
    kind = dataset.condition
    numbers = kind is not None and bool(kind.components)
    if dataset.coding is not None or not (kind is None or kind.classes or numbers):
        what = "samples that are encoded" if dataset.coding is not None else f"{type(kind).__name__} conditions"
        raise ValueError(f"auto chooses for images and points; {dataset.name} has {what}: name a recipe")
    rows = torch.arange(min(dataset.count, _SEEN)) if dataset.window else evenly(dataset.count, _SEEN)
    x = dataset.read(rows)
    if dataset.count > 1 and bool((x == x[:1]).all()):
        raise ValueError(f"all samples of {dataset.name} are the same, so there is nothing to learn: check the data")
    counts = [] if dataset.labels is None else dataset.labels.bincount(minlength=len(dataset.classes)).tolist()
    alike = _alike(x) if dataset.is_image else 0.0
    rest = (numbers, alike, device, _has_lite())
    return DataFacts(dataset.count, dataset.shape, len(counts), min(counts, default=0), *rest)


def _rule(facts: DataFacts) -> Rule:
    return next(rule for rule in RULES if rule.fits(facts))


def _has_lite() -> bool:
    return importlib.util.find_spec(PACKAGE) is not None


def _alike(x: Tensor) -> float:
    """The share of pixels of uint8 images `(N, C, H, W)` that are like their right neighbours, of the median image."""
    if x.shape[3] == 1:
        return 0.0
    difference = (x[..., 1:].int() - x[..., :-1].int()).abs().amax(1)
    return float((difference <= _LEVELS).double().mean((1, 2)).median())


def _opened(found: Source, device: str) -> tuple[Source, Dataset, str]:
    """The source and its data, resized where images are too large for the device, and a sentence if so."""
    dataset = found.open()
    if not isinstance(found, Images) or found.size is not None or found.fit == "exact":
        return found, dataset, ""
    most, (height, width) = _LARGEST.get(device, _LARGEST_ELSEWHERE), dataset.shape[1:]
    if max(height, width) <= most:
        return found, dataset, ""
    resized = replace(found, size=most)
    return resized, resized.open(), f"resized from {height}x{width}, which would take too long on {device} (--size)"


def _left_out(facts: DataFacts, conditional: bool) -> list[str]:
    if not facts.classes or conditional:
        return []
    if facts.has_classes:
        return [f"its classes are left out: at {facts.shape[1]}x{facts.shape[2]} shapes come first (adcgan takes them)"]
    return [f"its classes are left out: they are used from {_PER_CLASS} samples each and up to {_MOST_CLASSES} classes"]
