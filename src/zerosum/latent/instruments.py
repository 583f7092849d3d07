"""What directions are found and measured with: attributes of the data, and networks trained on halves of it."""

__all__ = ()

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from zerosum._arrays import evenly
from zerosum._foreign import read_tensors
from zerosum.conditions.labels import Labels
from zerosum.data.dataset import Dataset, Source
from zerosum.features.classifier import Classifier, restored, train_classifier
from zerosum.features.regressor import Regressor, train_regressor
from zerosum.game.judgement import Judgement
from zerosum.latent.attribute import Attribute, all_formulas, formulas, own_attribute, unknown
from zerosum.latent.measure import Ruler
from zerosum.latent.model import Inputs, LatentModel, latent_model, seen
from zerosum.latent.space import ZSpace
from zerosum.recipes.reader import Known
from zerosum.runs.discriminator import load_discriminator
from zerosum.runs.files import CLASSIFIER
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.run import Run

_MOST = 5_000  # images of the data
_SEEN = 30_000  # images by which networks are trained
MAKER, MEASURER = 0, 1  # halves of the data


@dataclass(frozen=True, eq=False)
class Instruments:
    """A generator, its data, and what is read of both.

    Attributes:
        generator: the generator.
        folder: the run folder; None for a generator alone.
        known: functions of the user by name.
    """

    generator: TrainedGenerator
    folder: Path | None
    known: Known

    @cached_property
    def model(self) -> LatentModel:
        """The generator as a map of latents."""
        return latent_model(self.generator)

    @cached_property
    def data(self) -> Dataset | str:
        """The data, or the reason why they cannot be read."""
        return opened(self.generator.recipe.data)

    @cached_property
    def index(self) -> Tensor:
        """Up to 5,000 evenly spaced samples of the data."""
        return evenly(len(self.dataset()), _MOST)

    def dataset(self) -> Dataset:
        """The data; raises `ValueError` where they cannot be read."""
        if isinstance(self.data, str):
            raise ValueError(f"this needs the data of the run, which cannot be read: {self.data}")
        return self.data

    @cached_property
    def real(self) -> Tensor:
        """Images of the data, uint8 `(N, C, H, W)`."""
        return self.dataset().displayed.read(self.index)

    @property
    def channels(self) -> int:
        """Channels of an image."""
        z = ZSpace(self.model)
        inputs = self.model.inputs(1)
        return z.images(inputs.z, inputs).shape[1]

    def usual(self) -> dict[str, Attribute]:
        """The formulas for images of its kind."""
        return formulas(self.channels)

    def named(self, name: str, half: int = MEASURER) -> Attribute:
        """An attribute by name: a formula, a function of the user, a column of the conditions, or a class of the data.

        Columns and classes are predicted by a network trained on one half of the data. Raises `ValueError` for others.
        """
        own = self.known.get(name)
        if callable(own) and not isinstance(own, type):
            return own_attribute(own, name)
        found = all_formulas()
        if name in found:
            return found[name]
        data = self.data
        columns = () if isinstance(data, str) or data.condition is None else data.condition.components
        classes = () if isinstance(data, str) else data.classes
        if name in classes:
            if self.generator.classes:
                raise ValueError(f"this generator takes the class as its condition: pass --class {name}")
            return Attribute(name, lambda images: self.logits(half, images)[:, classes.index(name)], trained=True)
        if name in columns:
            predict = self.regressor(half, {name: self.column(name)})
            return Attribute(name, lambda images: predict(images)[:, 0], trained=True)
        raise unknown(name, [*found, *columns, *classes])

    def column(self, name: str) -> Tensor:
        """The values of a column of the conditions, `(N,)`."""
        dataset = self.dataset()
        assert dataset.conditions is not None
        return dataset.conditions.of(self.index)[:, dataset.conditions.kind.components.index(name)].double()

    def values_of_data(self, attribute: Attribute) -> Tensor:
        """The values of an attribute over the images of the data, `(N,)`: of a column, the column itself."""
        data = self.dataset()
        if attribute.trained and data.condition is not None and attribute.name in data.condition.components:
            return self.column(attribute.name)
        parts = [attribute(part.float() / 127.5 - 1) for part in torch.split(self.real, 1000)]
        return torch.cat(parts)

    def half(self, which: int) -> Tensor:
        """Every second of the images."""
        return torch.arange(which, len(self.real), 2)

    def regressor(self, half: int, values: Mapping[str, Tensor]) -> Regressor:
        """A network that predicts values `(N,)` of images, trained on one half of the data."""
        rows, table = self.half(half), torch.stack([*values.values()], 1)
        rows = rows[table[rows].isfinite().all(1)]
        return train_regressor(self.real[rows], table[rows], seed=half, seen=_SEEN)

    def predictor(
        self, makers: Mapping[str, Attribute], say: Callable[[str], None]
    ) -> tuple[Callable[[Tensor], Tensor], list[str]]:
        """A network of the first half of the data that predicts attributes of images `(n, k)`, and their names.

        Classes are predicted by a classifier, all else by one regressor.
        """
        classes = [name for name in makers if name in self.dataset().classes]
        others = {name: one for name, one in makers.items() if name not in classes}
        targets = {name: one.centred(self.values_of_data(one)) for name, one in others.items()}
        regressor = self.regressor(MAKER, targets) if targets else None
        if regressor is not None:
            shares = zip(targets, regressor.explained.tolist(), strict=True)
            say("the regressor explains on held-out images " + ", ".join(f"{n} {share:.0%}" for n, share in shares))
        index = [self.dataset().classes.index(name) for name in classes]

        def predict(images: Tensor) -> Tensor:
            parts = [] if regressor is None else [regressor(images)]
            return torch.cat([*parts, *([self.logits(MAKER, images)[:, index]] if index else [])], 1)

        return predict, [*targets, *classes]

    def classifier(self, half: int) -> Classifier:
        """A classifier of the data's labels, trained on one half; for measuring, the run's own where it has one."""
        if half == MEASURER and self.folder is not None and (self.folder / CLASSIFIER).is_file():
            return restored(read_tensors(self.folder / CLASSIFIER)[0])
        data, rows = self.dataset(), self.half(half)
        assert data.labels is not None
        return train_classifier(self.real[rows], data.labels[self.index][rows], len(data.classes), half, _SEEN)

    @cached_property
    def _classifiers(self) -> dict[int, Classifier]:
        return {}

    def logits(self, half: int, images: Tensor) -> Tensor:
        """Class logits of images in [-1, 1], differentiable, by a classifier of one half."""
        found = self._classifiers
        if half not in found:
            with torch.enable_grad():
                found[half] = self.classifier(half)
        logits: Tensor = found[half].reader(images)[0]
        return logits

    def classify(self, images: Tensor) -> Tensor:
        """The class of images."""
        with torch.no_grad():
            return torch.cat([self.logits(MEASURER, part).argmax(1) for part in torch.split(images, 500)])

    def ruler(self, extra: Mapping[str, Attribute]) -> Ruler:
        """What measures directions: the usual formulas and further attributes, in standard deviations of the data.

        Where the data cannot be read, or an attribute has no value for them, those of samples are taken.
        """
        wanted = {**self.usual(), **extra}
        has_data = not isinstance(self.data, str)
        if has_data:
            values = {name: self.values_of_data(one) for name, one in wanted.items()}
        else:
            inputs = self.model.inputs(1000, seed=2)
            images = seen(ZSpace(self.model).images(inputs.z, inputs))
            values = {name: one(images) for name, one in wanted.items()}
        stds: dict[str, float] = {}
        for name, one in wanted.items():
            try:
                stds[name] = one.spread(values[name])
            except ValueError:
                if name in extra:
                    raise
        labels = isinstance(self.dataset().condition, Labels) if has_data else False
        return Ruler(
            {name: wanted[name] for name in stds},
            stds,
            values,
            "data" if has_data else "samples",
            self.classify if labels else None,
            self.score,
        )

    @cached_property
    def score(self) -> Callable[[Tensor, Inputs], Tensor] | None:
        """D's score `(n,)` of outputs of the network under conditions, differentiable; None without D."""
        if self.folder is None:
            return None
        try:
            D = load_discriminator(self.folder, self.known)
        except (ValueError, OSError):
            return None

        def score(outputs: Tensor, inputs: Inputs) -> Tensor:
            c = None if D.condition is None else inputs.c
            rows = [slice(start, start + 250) for start in range(0, len(outputs), 250)]
            given = ([t[row] for t in (outputs, c) if t is not None] for row in rows)
            return torch.cat(
                [Judgement.of(D.module(*one)).score.float().view(len(one[0]), -1).mean(1) for one in given]
            )

        return score


def opened(source: Source) -> Dataset | str:
    """The data of a source, or the reason why they cannot be read."""
    try:
        found = source.open()
        found.displayed.read(torch.tensor([0]))
    except (ValueError, OSError) as error:
        return str(error)
    return found


def instruments_of(run: Run | TrainedGenerator, known: Known) -> Instruments:
    """The instruments of a run, or of a generator alone."""
    if isinstance(run, TrainedGenerator):
        return Instruments(run, None, known)
    return Instruments(run.generator, run.path if run.path.is_dir() else None, known)
