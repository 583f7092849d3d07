"""The sections of a report that show new samples, the data, and the discriminator."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zerosum.data.dataset import Dataset
from zerosum.recipes.recipe import flat
from zerosum.report._data import data_section, real_images
from zerosum.report._discriminator import discriminator
from zerosum.report._game import game
from zerosum.report._html import Section, prose
from zerosum.report._live import live_images
from zerosum.report._neighbours import memory
from zerosum.report._points import learned_map, points
from zerosum.report._samples import by_condition
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.images import ROWS, columns_of
from zerosum.runs.run import Run

T = TypeVar("T")


@dataclass(eq=False)
class Shown:
    """What the sections are made of.

    Attributes:
        run: the run.
        generator: its generator.
        scores: its scores.
        dataset: its data; None if they cannot be opened.
        reason: why not.
    """

    run: Run
    generator: TrainedGenerator
    scores: Mapping[str, Any]
    dataset: Dataset | None
    reason: str = ""

    @classmethod
    def of(cls, run: Run, generator: TrainedGenerator, scores: Mapping[str, Any], dataset: Dataset | None) -> "Shown":
        """Open the data of the generator's recipe unless they are given."""
        try:
            return cls(run, generator, scores, generator.recipe.data.open() if dataset is None else dataset)
        except ValueError as error:
            return cls(run, generator, scores, None, f"Not shown: {error}")

    def sections(self) -> Iterator[Section]:
        """Yield the sections in the order of the page."""
        live = _if_possible(lambda: self.run.live)
        yield from self._images(live) if self.generator.is_image else self._points(live)
        if self.dataset is not None:
            yield data_section(self.dataset, flat(self.generator.recipe.data))

    def real_images(self) -> NDArray[np.uint8] | None:
        """Real images for a grid beside one of samples; None for points, and without data."""
        if self.dataset is None or not self.dataset.is_image or not self.generator.is_image:
            return None
        classes = len(self.generator.classes)
        return real_images(self.dataset, columns_of(classes) * ROWS, classes)

    def _images(self, live: TrainedGenerator | None) -> Iterator[Section]:
        generator = self.generator
        if generator.condition is not None:
            yield by_condition(generator, generator.condition, self.scores)
        if live is not None:
            yield from filter(None, [live_images(generator, live)])
        yield self._of_data("memory", "Memorisation", lambda data: memory(generator, data.displayed))

    def _points(self, live: TrainedGenerator | None) -> Iterator[Section]:
        generator = self.generator
        yield self._of_data("points", "Real and generated", lambda data: points(generator, data.displayed, live))
        logistic = "D(x)" in self.run.curves and generator.shape == (1,) and generator.condition is None
        trained = _if_possible(lambda: self.run.discriminator) if logistic else None
        if trained is not None:
            yield self._of_data(
                "discriminator", "Discriminator", lambda data: discriminator(generator, trained, data.displayed)
            )
        yield from filter(None, [learned_map(generator)])
        yield from filter(None, [self._game()])

    def _game(self) -> Section | None:
        """The section on the game over training, or the reason why it cannot be shown; None for a run without it."""
        try:
            return game(self.run)
        except ValueError as error:
            return Section("game", "The game over training", prose(f"Not shown: {error}"))

    def _of_data(self, anchor: str, title: str, make: Callable[[Dataset], Section]) -> Section:
        """Return the section, or the reason why it cannot be shown."""
        if self.dataset is None:
            return Section(anchor, title, prose(self.reason))
        try:
            return make(self.dataset)
        except ValueError as error:
            return Section(anchor, title, prose(f"Not shown: {error}"))


def _if_possible(load: Callable[[], T]) -> T | None:
    """What is loaded from a run; None where its files do not have it, as before the first checkpoint."""
    try:
        return load()
    except ValueError:
        return None
