"""Find directions of a run, measure them, and save them with an image strip."""

__all__ = ["DirectionOptions", "find_directions"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor

from zerosum.conditions.labels import Labels
from zerosum.latent.direction import Direction, direction_file, named_direction, save_direction
from zerosum.latent.finders import extremes, gradients, line, orthogonal, pairs
from zerosum.latent.instruments import MAKER, MEASURER, Instruments, instruments_of
from zerosum.latent.measure import Ruler, calibrated, corrected, measured_card
from zerosum.latent.model import Inputs, seen
from zerosum.latent.space import Space, space_of
from zerosum.latent.strip import save_strip
from zerosum.latent.unsupervised import principal_components, weight_directions
from zerosum.recipes.fit import convert_fields
from zerosum.recipes.reader import NOTHING, Known
from zerosum.runs.facts import check_at_most, check_seed
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.run import Run

Method = Literal["line", "extremes", "gradient", "pca", "sefa", "pairs"]
METHODS = ("line", "extremes", "gradient", "pca", "sefa", "pairs")
_UNAIDED = ("pca", "sefa", "pairs")
_SAME = 0.5  # correlation over the data above which two attributes are taken for one thing
_TYPICAL = 4  # a direction without attribute has a unit of a fourth of a point's typical distance from the mean
_CALIBRATED, _CORRECTED = 100, 800  # samples
_MOST = 10_000_000  # samples, and the number of one in a pair


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
        layers: of the space `layers`, those that a direction changes, from 0 on, as edits of GANSpace do (arXiv
            2004.02546); empty for all.
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
    layers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"a method is one of {', '.join(METHODS)}; found {self.method!r}")
        convert_fields(self)
        if self.n < 20 or self.samples < 10:
            raise ValueError(f"directions need n of 20 and samples of 10 or more; found {self.n} and {self.samples}")
        pair = max(map(max, self.pairs), default=0)
        check_at_most(_MOST, {"n": self.n, "samples": self.samples, "pair": pair})
        check_seed(self.seed)
        if (self.method == "pairs") != bool(self.pairs) or any(min(pair) < 0 for pair in self.pairs):
            raise ValueError("the method pairs, and no other, takes pairs of numbers of samples, from 0 on")
        if self.layers and self.space not in ("", "layers"):
            raise ValueError(f"single layers are changed in the space layers; found {self.space!r}")


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
    for text in (name, *attributes):
        direction_file(tools.folder or ".", text or "unnamed")  # raises for a name that is no file name
    search = _search(tools, how, attributes)
    found = search.by_attributes(attributes, say) if attributes else search.unaided()
    made: list[Direction] = []
    for one in found:
        called = name or one.name
        called = f"{called}-{len(made) + 1}" if name and len(found) > 1 else called
        direction, inputs = search.measured(one, called)
        if tools.folder is not None:
            save_direction(tools.folder, direction)
            save_strip(tools.folder, direction, tools.model, inputs)
        made.append(direction)
    return made


@dataclass(frozen=True, eq=False)
class _Found:
    """A direction before it is scaled: for an attribute, the mean gradients of it and of those removed, by name."""

    name: str
    vector: Tensor
    rates: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Search:
    """A search in a space, with attributes as they are found, and as they are measured."""

    tools: Instruments
    how: DirectionOptions
    space: Space
    finding: Ruler
    measuring: Ruler

    def inputs(self, part: int, n: int) -> Inputs:
        """The inputs of n samples, of another seed for each part: finding, correcting, measuring."""
        condition = self.tools.model.condition
        wanted: Any = None
        if self.how.wanted:
            wanted = [*self.how.wanted] if condition is None else condition.parse(self.how.wanted, n)
        return self.tools.model.inputs(n, self.how.seed * 3 + part, wanted)

    def unaided(self) -> list[_Found]:
        """Directions of the methods that take no attribute."""
        how = self.how
        if how.method == "pairs":
            inputs = self.inputs(0, max(max(pair) for pair in how.pairs) + 1)
            before, after = (inputs.rows(torch.tensor(ends)) for ends in zip(*how.pairs, strict=True))
            return [_Found("pairs", self._of_layers(pairs(self.space, before, after)))]
        find = principal_components if how.method == "pca" else weight_directions
        vectors = find(self.space, self.inputs(0, how.n), how.components)
        return [_Found(f"{how.method}-{place}", self._of_layers(vector)) for place, vector in enumerate(vectors, 1)]

    def _of_layers(self, vector: Tensor) -> Tensor:
        """A vector without its part in layers that stay."""
        if not self.how.layers:
            return vector
        kept = torch.zeros(len(vector), 1)
        kept[[*self.how.layers]] = 1
        return vector * kept

    def by_attributes(self, attributes: Sequence[str], say: Callable[[str], None]) -> list[_Found]:
        """The direction of each attribute, without those of others."""
        how, ruler, inputs = self.how, self.finding, self.inputs(0, self.how.n)
        with torch.no_grad():
            points = self.space.at(inputs)
            images = torch.cat([seen(part) for part in torch.split(self.space.images(points, inputs), 500)])
        values = {name: one.centred(one(images)) for name, one in ruler.attributes.items()}
        for name in attributes:
            ruler.attributes[name].spread(values[name])
        if how.method == "gradient":
            score, names = self.tools.predictor(ruler.attributes, say)
            some = slice(0, max(20, how.n // 4))
            mean = gradients(self.space, points[some], inputs.rows(some), score).mean(0)
            rates = vectors = {name: self._of_layers(one) for name, one in zip(names, mean, strict=True)}
        else:
            rates = self._fitted(points, inputs, values, line)
            vectors = rates if how.method == "line" else self._fitted(points, inputs, values, extremes)
        found = []
        for name in attributes:
            usual = [other for other in ruler.attributes if other != name and ruler.alike(name, other) < _SAME]
            chosen = usual if how.remove is None else [other for other in how.remove if other != name]
            apart = orthogonal(vectors[name], [vectors[other] for other in chosen])
            found.append(_Found(name, apart, {other: rates[other] for other in (name, *chosen)}))
        return found

    def _fitted(
        self, points: Tensor, inputs: Inputs, values: Mapping[str, Tensor], fit: Callable[..., Tensor]
    ) -> dict[str, Tensor]:
        """The direction of each attribute, fitted to the samples that have a value."""
        classes = inputs.c if isinstance(self.tools.model.condition, Labels) else None
        made = {}
        for name, value in values.items():
            known = value.isfinite()
            vector = fit(points[known], value[known], None if classes is None else classes[known])
            made[name] = self._of_layers(vector)
        return made

    def measured(self, found: _Found, name: str) -> tuple[Direction, Inputs]:
        """A direction in its units with its card, and the inputs that it was measured on."""
        model, attribute = self.tools.model, found.name if found.rates else ""
        direction = named_direction(name, found.vector, self.space, self.how.method)
        removed = tuple(found.rates)[1:]
        if attribute:
            some = self.inputs(1, _CORRECTED)
            direction = calibrated(direction, model, some.rows(slice(_CALIBRATED)), self.finding, attribute)
            if removed:
                rates = {other: rate / self.finding.stds[other] for other, rate in found.rates.items()}
                direction = corrected(direction, model, some, self.finding, rates, attribute)
        else:
            typical = float(self.space.prior().std.norm())
            direction = replace(direction, vector=direction.vector * (typical / _TYPICAL / direction.vector.norm()))
        inputs = self.inputs(2, self.how.samples)
        card = measured_card(direction, model, inputs, self.measuring, attribute, removed)
        return replace(direction, card=card), inputs


def _search(tools: Instruments, how: DirectionOptions, attributes: Sequence[str]) -> _Search:
    space = space_of(tools.model, "layers" if how.layers else how.space)
    if how.layers:
        count = len(space.prior().mean)
        if min(how.layers) < 0 or max(how.layers) >= count:
            raise ValueError(f"this generator has the layers 0 to {count - 1}; found {', '.join(map(str, how.layers))}")
    wanted = {one: tools.named(one, MEASURER) for one in (*(how.remove or ()), *attributes)}
    ruler = tools.ruler(wanted)
    makers = {name: tools.named(name, MAKER) if one.trained else one for name, one in ruler.attributes.items()}
    return _Search(tools, how, space, replace(ruler, attributes=makers), ruler)
