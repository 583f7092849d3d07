"""The pipelines of ADA, and augmentations of fixed strength."""

__all__ = ["DiffAugment", "FixedAugment", "Group"]

from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor

from zerosum.augment._applying import applied
from zerosum.augment._checks import check_probability, check_strength
from zerosum.augment.colours import Brightness, Contrast, Hue, LumaFlip, Saturation
from zerosum.augment.corruptions import Cutout, Noise, Translate
from zerosum.augment.filters import Filter
from zerosum.augment.motions import Anisotropy, Flip, FractionalTranslate, IntegerTranslate, Rotate, Rotate90, Scale
from zerosum.augment.schedules import Line
from zerosum.game.random import Draws
from zerosum.game.turn import Transformation, Turn
from zerosum.protocols import Schedule

Pipeline = str | tuple[Transformation, ...]


_BLITS: tuple[Transformation, ...] = (Flip(), Rotate90(), IntegerTranslate())
_GEOMETRY: tuple[Transformation, ...] = (Scale(), Rotate(), Anisotropy(), Rotate(), FractionalTranslate())
_COLOURS: tuple[Transformation, ...] = (
    *(Brightness(0.2, "normal"), Contrast(0.5, "normal"), LumaFlip()),
    *(Hue(), Saturation(1.0, "normal")),
)


@dataclass(frozen=True)
class Group:
    """Transformations of a pipeline that are applied with another probability: p times a factor.

    As the multipliers in the authors' code of ADA. The default is the group of R3GAN, which changes colours half as
    often as it moves samples.

    Args:
        factor: multiple of the pipeline's probability (>= 0); the product is at most 1.
        parts: the transformations.
    """

    factor: float = 0.5
    parts: tuple[Transformation, ...] = _COLOURS

    def __post_init__(self) -> None:
        check_strength("factor", self.factor)

    def __call__(self, x: Tensor, draws: Draws, purpose: str) -> Tensor:
        """The samples, each part applied with probability `factor`."""
        return applied((self,), x, draws, purpose)


_FILTERS: tuple[Transformation, ...] = tuple(Filter((band,)) for band in range(4))
_BGC = _BLITS + _GEOMETRY + _COLOURS
PIPELINES = MappingProxyType(
    {
        "b": _BLITS,
        "bg": _BLITS + _GEOMETRY,
        "bgc": _BGC,
        "bgcf": _BGC + _FILTERS,
        "bgcfn": (*_BGC, *_FILTERS, Noise()),
        "bgcfnc": (*_BGC, *_FILTERS, Noise(), Cutout()),
        "r3gan": (*_BLITS, *_GEOMETRY, Group(0.5, _COLOURS), Cutout()),
    }
)


def transformations(pipeline: Pipeline) -> tuple[Transformation, ...]:
    """The transformations of a pipeline, given by its name in the ADA paper, by `r3gan`, or as a tuple.

    Raises `ValueError` for an unknown name.
    """
    if not isinstance(pipeline, str):
        return pipeline
    if pipeline not in PIPELINES:
        raise ValueError(f"pipeline is {', '.join(PIPELINES)} or a tuple of transformations; found {pipeline!r}")
    return PIPELINES[pipeline]


@dataclass(frozen=True)
class DiffAugment:
    """DiffAugment: transformations of every sample that D sees: Zhao et al. 2020 (arXiv 2006.10738).

    Args:
        policy: the transformations, in order; by default the paper's colour, translation and cutout.
    """

    policy: tuple[Transformation, ...] = (Brightness(), Saturation(), Contrast(), Translate(), Cutout())

    def __call__(self, x: Tensor, role: str, turn: Turn) -> Tensor:
        """The augmented samples, of the same shape."""
        return applied(self.policy, x, turn.draws, f"augment {role}")


@dataclass(frozen=True)
class FixedAugment:
    """ADA's pipeline with a fixed probability: Karras et al. 2020 (arXiv 2006.06676), section 2.3.

    Each transformation is applied to each sample independently with this probability, those of a `Group` with a
    multiple of it. R3GAN (arXiv 2501.05441) increases it along half a cosine, as on CIFAR-10 to 0.55:
    `FixedAugment(0.55, "r3gan", Cosine(start=0.0, end=1.0))`.

    Args:
        p: the probability, in [0, 1].
        pipeline: `b` (blits), `bg` (and geometry), `bgc` (and colour), `bgcf` (and filters), `bgcfn` (and noise),
            `bgcfnc` (and cutout), `r3gan` (blits and geometry, colours half as often, cutout), or a tuple of
            transformations.
        schedule: factor of p at each progress.
    """

    p: float = 0.2
    pipeline: Pipeline = "bgc"
    schedule: Schedule = Line(1.0, 1.0)

    def __post_init__(self) -> None:
        check_probability("p", self.p)
        transformations(self.pipeline)

    def __call__(self, x: Tensor, role: str, turn: Turn) -> Tensor:
        """The augmented samples, of the same shape."""
        p = min(self.p * self.schedule(turn.clock.progress), 1.0)
        return applied(transformations(self.pipeline), x, turn.draws, f"augment {role}", p)
