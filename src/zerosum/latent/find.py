"""Find directions of a run, measure them, and save them with an image strip."""

__all__ = ["DirectionOptions", "find_directions"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from zerosum.conditions.labels import Labels
from zerosum.latent.attribute import Attribute
from zerosum.latent.direction import Direction, direction_file, named_direction, save_direction
from zerosum.latent.finders import extremes, gradients, line, orthogonal, pairs
from zerosum.latent.instruments import MAKER, MEASURER, Instruments, instruments_of
from zerosum.latent.measure import Ruler, calibrated, corrected, measured_card
from zerosum.latent.model import Inputs, seen
from zerosum.latent.space import Space, space_of
from zerosum.latent.strip import save_strip
from zerosum.latent.unsupervised import principal_components, weight_directions
from zerosum.recipes.reader import NOTHING, Known
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.run import Run

Method = Literal["line", "extremes", "gradient", "pca", "sefa", "pairs"]
METHODS = ("line", "extremes", "gradient", "pca", "sefa", "pairs")
_UNAIDED = ("pca", "sefa", "pairs")
_SAME = 0.5  # correlation over the data above which two attributes are taken for one thing
_TYPICAL = 4  # a direction without attribute has a unit of a fourth of a point's typical distance from the mean
_CALIBRATED, _CORRECTED = 100, 400  # samples


@dataclass(frozen=True)
class DirectionOptions:
    """How directions are found.

    Attributes:
        method: `line` (ridge regression), `extremes` (a plane between the extreme 2 %), `gradient` (of a network that
            predicts the attribute), `pca` or `sefa` (without attributes), or `pairs` (of samples).
        space: `z`, `w`, `layers` or `condition`; empty for w where there is one, else z.
        wanted: classes or conditions to stay within, as for `--class` and `--condition`.
        n: samples by which a direction is found.
        samples: further samples on which it is measured.
        seed: random seed of all samples.
        remove: other attributes whose directions it is made orthogonal to; None for the usual ones of such images,
            except those with a correlation of 0.5 or more over the data, as ink with thickness.
        components: number of directions of `pca` and `sefa`.
        pairs: numbers of samples of the seed, without and with what is wanted.
    """

    method: Method = "line"
    space: str = ""
    wanted: tuple[str, ...] = ()
    n: int = 4000
    samples: int = 200
    seed: int = 0
    remove: tuple[str, ...] | None = None
    components: int = 5
    pairs: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"a method is one of {', '.join(METHODS)}; found {self.method!r}")
        if self.n < 20 or self.samples < 10:
            raise ValueError(f"directions need n of 20 and samples of 10 or more; found {self.n} and {self.samples}")
        if (self.method == "pairs") != bool(self.pairs) or any(min(pair) < 0 for pair in self.pairs):
            raise ValueError("the method pairs, and no other, takes pairs of numbers of samples, from 0 on")


def find_directions(
    run: Run | TrainedGenerator,
    attributes: Sequence[str] = (),
    options: DirectionOptions | None = None,
    name: str = "",
    known: Known = NOTHING,
    say: Callable[[str], None] = lambda _: None,
) -> list[Direction]:
    """Find directions, measure each, and save it in the run folder as `directions/NAME.safetensors` and `.png`.

    Those of a generator alone are not saved.

    Args:
        run: a run, or a trained generator of images.
        attributes: names of formulas, of functions in `known`, of columns of the data's conditions, or of classes; none
            for the methods that need none.
        options: how.
        name: the name of the direction; by default the attribute, or the method.
        known: functions of the user by name: uint8 images `(N, H, W, C)` to numbers `(N,)`.
        say: receives a sentence on each step.

    Returns:
        The directions, each with its card.

    Raises:
        ValueError: for unknown attributes, for attributes that never change, and where nothing moves one.
    """
    how, tools = options or DirectionOptions(), instruments_of(run, known)
    if bool(attributes) == (how.method in _UNAIDED):
        verb = "takes no attribute" if attributes else "needs an attribute, as --attribute thickness"
        raise ValueError(f"the method {how.method} {verb}")
    if name and len(attributes) > 1:
        raise ValueError(f"one name is for one direction; found {len(attributes)} attributes")
    for one in (name, *attributes):
        direction_file(tools.folder or ".", one or "unnamed")  # raises for a name that is no file name
    space = space_of(tools.model, how.space)
    measuring = {one: tools.named(one, MEASURER) for one in attributes}
    others = {one: tools.named(one, MEASURER) for one in how.remove or ()}
    ruler = tools.ruler({**others, **measuring})
    makers = {name: tools.named(name, MAKER) if one.trained else one for name, one in ruler.attributes.items()}
    making = replace(ruler, attributes=makers)
    found, slopes = _unaided(tools, space, how), dict[str, Tensor]()
    if attributes:
        found, slopes = _supervised(tools, space, making, attributes, how, say)
        some = _inputs(tools, how, 1, _CORRECTED)
    made: list[Direction] = []
    for (made_as, vector), removed in found:
        attribute = made_as if attributes else ""
        direction = named_direction(name or made_as, vector, space, how.method)
        if name and len(found) > 1:
            direction = replace(direction, name=f"{name}-{len(made) + 1}")
        if attribute:
            direction = calibrated(direction, tools.model, some.rows(slice(_CALIBRATED)), making, attribute)
            if removed:
                kept = {other: slopes[other] / making.stds[other] for other in (attribute, *removed)}
                direction = corrected(direction, tools.model, some, making, kept, attribute)
        else:
            typical = float(space.prior().std.norm())
            direction = replace(direction, vector=vector * (typical / _TYPICAL / vector.norm()))
        inputs = _inputs(tools, how, 2, how.samples)
        direction = replace(direction, card=measured_card(direction, tools.model, inputs, ruler, attribute, removed))
        if tools.folder is not None:
            save_direction(tools.folder, direction)
            save_strip(tools.folder, direction, tools.model, inputs)
        made.append(direction)
    return made


Found = tuple[tuple[str, Tensor], tuple[str, ...]]


def _inputs(tools: Instruments, how: DirectionOptions, part: int, n: int) -> Inputs:
    """The inputs of n samples, of another seed for each part: finding, calibrating, measuring."""
    condition = tools.model.condition
    wanted: Any = None
    if how.wanted:
        wanted = [*how.wanted] if condition is None else condition.parse(how.wanted, n)
    return tools.model.inputs(n, how.seed * 3 + part, wanted)


def _unaided(tools: Instruments, space: Space, how: DirectionOptions) -> list[Found]:
    if how.method not in _UNAIDED:
        return []
    if how.method == "pairs":
        highest = max(max(pair) for pair in how.pairs) + 1
        inputs = _inputs(tools, how, 0, highest)
        before, after = (inputs.rows(torch.tensor(side)) for side in zip(*how.pairs, strict=True))
        return [(("pairs", pairs(space, before, after)), ())]
    find = principal_components if how.method == "pca" else weight_directions
    vectors = find(space, _inputs(tools, how, 0, how.n), how.components)
    return [((f"{how.method}-{i + 1}", vector), ()) for i, vector in enumerate(vectors)]


def _supervised(
    tools: Instruments,
    space: Space,
    ruler: Ruler,
    attributes: Sequence[str],
    how: DirectionOptions,
    say: Callable[[str], None],
) -> tuple[list[Found], dict[str, Tensor]]:
    """The direction of each attribute, without those of others, and the mean gradients of all attributes."""
    makers = ruler.attributes
    inputs = _inputs(tools, how, 0, how.n)
    with torch.no_grad():
        points = space.at(inputs)
        images = torch.cat([seen(part) for part in torch.split(space.images(points, inputs), 500)])
    values = {name: one.centred(one(images)) for name, one in makers.items()}
    for name in attributes:
        makers[name].spread(values[name])
    vectors = _vectors(tools, space, (points, inputs), makers, values, how, say)
    found: list[Found] = []
    for name in attributes:
        usual = [other for other in ruler.attributes if other != name and ruler.alike(name, other) < _SAME]
        chosen = usual if how.remove is None else [other for other in how.remove if other != name]
        apart = orthogonal(vectors[name], [vectors[other] for other in chosen])
        found.append(((name, apart), tuple(chosen)))
    return found, vectors if how.method == "gradient" else _fitted(points, values, _groups(tools, inputs), line)


def _vectors(
    tools: Instruments,
    space: Space,
    start: tuple[Tensor, Inputs],
    makers: Mapping[str, Attribute],
    values: Mapping[str, Tensor],
    how: DirectionOptions,
    say: Callable[[str], None],
) -> dict[str, Tensor]:
    """The direction of each attribute before others are removed."""
    points, inputs = start
    if how.method == "gradient":
        score, names = tools.predictor(makers, say)
        some = slice(0, max(20, how.n // 4))
        mean = gradients(space, points[some], inputs.rows(some), score).mean(0)
        return dict(zip(names, mean, strict=True))
    return _fitted(points, values, _groups(tools, inputs), line if how.method == "line" else extremes)


def _groups(tools: Instruments, inputs: Inputs) -> Tensor | None:
    """The class of each sample, where it is an input."""
    return inputs.c if isinstance(tools.model.condition, Labels) else None


def _fitted(
    points: Tensor, values: Mapping[str, Tensor], groups: Tensor | None, fit: Callable[..., Tensor]
) -> dict[str, Tensor]:
    """The direction of each attribute, fitted to the samples that have a value."""
    made = {}
    for name, value in values.items():
        known = value.isfinite()
        made[name] = fit(points[known], value[known], None if groups is None else groups[known])
    return made


def parsed_pairs(texts: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Pairs of numbers of samples of texts N:M; raises `ValueError` for anything else."""
    found = []
    for text in texts:
        first, _, second = text.partition(":")
        if not first.isdecimal() or not second.isdecimal():
            raise ValueError(f"--pair takes N:M, two numbers of samples; found {text!r}")
        found.append((int(first), int(second)))
    return tuple(found)
