"""A run folder as an object, whose files are read on access."""

__all__ = ["Run", "RunState"]

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zerosum._disk import plain_folder, read_text
from zerosum._paths import AnyPath, user_path
from zerosum._text import printable
from zerosum.protocols import Autoencoder
from zerosum.recipes.reader import NOTHING, Known, read_recipe
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import checkpoints
from zerosum.runs.discriminator import TrainedDiscriminator, load_discriminator
from zerosum.runs.files import BEST, COMMAND, GENERATOR, MOST_TEXT, RECIPE, REPORT, SAMPLES, SCORES, VERSIONS
from zerosum.runs.generator import TrainedGenerator, load, load_live
from zerosum.runs.lock import is_locked
from zerosum.runs.log import Series, curves, evaluations, read_log
from zerosum.runs.notebook import run_html
from zerosum.runs.plain_json import read_table


@dataclass(frozen=True)
class RunState:
    """The state of a run.

    Attributes:
        name: `new` before the first checkpoint, `under way` while a process trains it, `interrupted` when stopped
            before the end, and `ended`.
        images: real samples seen at the last checkpoint or, while under way, at the last line of the log.
        total: real samples in the whole run.
    """

    name: Literal["new", "under way", "interrupted", "ended"]
    images: int
    total: int

    def __str__(self) -> str:
        return f"{self.name}, {self.images:,} of {self.total:,} images"


class Run:
    """A run folder. Properties read their files on each access, so they are always up to date.

    It is accepted wherever a path is: `zerosum.load(run)`, `Path(run)`, `run / "log.jsonl"`. Untrusted folders are safe
    to open: links to files are not followed, no code in them is run, and damaged files raise `ValueError`.

    Args:
        path: the folder.
        known: custom parts of the recipe by name: dataclasses, and modules or functions that return them.
        autoencoder: the autoencoder of the run's latents, if it was given in Python.

    Raises:
        ValueError: on access, when the folder is not a run, or a file is missing or damaged.
        OSError: on access, when a file cannot be read.
    """

    def __init__(
        self,
        path: AnyPath,
        known: Known = NOTHING,
        autoencoder: Autoencoder | None = None,
    ) -> None:
        self.path, self.known, self.autoencoder = user_path(path), known, autoencoder

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def __truediv__(self, name: AnyPath) -> Path:
        return self.path / name

    def __repr__(self) -> str:
        return f"<Run {printable(self.path)}: {self._described()}>"

    def _repr_html_(self) -> str:
        try:
            samples, found = self.samples, self.curves
        except (ValueError, OSError) as error:
            return run_html(str(self), str(error), None, {})
        return run_html(str(self), self._described(), samples[-1] if samples else None, found)

    def _described(self) -> str:
        try:
            return printable(f"{self.recipe.name}, {self.state}")
        except (ValueError, OSError) as error:
            return printable(error)

    @property
    def recipe_text(self) -> str:
        """The text of the recipe, without its last line break."""
        try:
            return read_text(self.path / RECIPE, MOST_TEXT).strip()
        except (FileNotFoundError, NotADirectoryError):
            raise ValueError(f"{self.path} is not a run folder: it has no {RECIPE}") from None

    @property
    def recipe(self) -> Recipe:
        """The recipe; custom parts that are not in `known` keep their text and raise an error when they are used."""
        return read_recipe(self.recipe_text, self.known, opaque=True)

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log, a dictionary per line: `images`, and numbers by name. Empty before the first line."""
        return read_log(self.path)

    @property
    def curves(self) -> dict[str, Series]:
        """The log by name, each `(images, values)` for plotting: `plt.plot(*run.curves["D/loss"])`."""
        return curves(self.log)

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        """The evaluations during the run: `images`, each score by name, its standard error as `NAME_error`."""
        return evaluations(self.log)

    @property
    def scores(self) -> dict[str, Any]:
        """The final scores by name; empty without scores."""
        return _table(self.path / SCORES)

    @property
    def versions(self) -> dict[str, Any]:
        """The environment of the last start: versions, machine, device, precision; empty before the first start."""
        return _table(self.path / VERSIONS)

    @property
    def command(self) -> str:
        """The shell command of the last start; empty before the first start."""
        try:
            return read_text(self.path / COMMAND, MOST_TEXT).strip()
        except FileNotFoundError:
            return ""

    @property
    def state(self) -> RunState:
        """The state of the run."""
        total, saved = self.recipe.images, self.checkpoints
        images = int(saved[0].name) if saved else 0
        written = (self.path / GENERATOR).is_file()
        if written and (not saved or images >= total):
            return RunState("ended", images or total, total)
        if is_locked(self.path):
            log = self.log
            return RunState("under way", max(images, log[-1]["images"] if log else 0), total)
        return RunState("interrupted" if saved else "new", images, total)

    @property
    def checkpoints(self) -> list[Path]:
        """The checkpoint folders, newest first."""
        return checkpoints(self.path)

    @property
    def samples(self) -> list[Path]:
        """The sample images, oldest first; each is named by the number of images seen."""
        found = plain_folder(self.path / SAMPLES).glob("*.png")
        return sorted((p for p in found if p.stem.isdecimal() and p.stem.isascii()), key=lambda p: int(p.stem))

    @property
    def report(self) -> Path:
        """The path of the report, written at the end of the run or by `zerosum report`."""
        return self.path / REPORT

    @property
    def generator(self) -> TrainedGenerator:
        """The generator with averaged weights, at the newest checkpoint or the end. Loaded on each access."""
        return load(self, self.known, self.autoencoder)

    @property
    def live(self) -> TrainedGenerator:
        """The generator as it is trained, its weights not averaged, at the newest checkpoint. Loaded on each access."""
        return load_live(self, self.known, self.autoencoder)

    @property
    def discriminator(self) -> TrainedDiscriminator:
        """The discriminator at the newest checkpoint, which scores images or points. Loaded on each access."""
        return load_discriminator(self, self.known)

    @property
    def best(self) -> TrainedGenerator:
        """The generator with the best evaluation score. Loaded on each access."""
        if not (self.path / BEST).is_file():
            raise ValueError(
                f"{self.path} has no best generator: train with --evaluate kid, and wait for the first score"
            )
        return load(self.path / BEST, self.known, self.autoencoder)


def is_run(path: AnyPath) -> bool:
    """Whether a folder is a run, or has a generator to sample from."""
    return any((user_path(path) / name).is_file() for name in (RECIPE, GENERATOR))


def _table(path: Path) -> dict[str, Any]:
    try:
        return read_table(path)
    except FileNotFoundError:
        return {}
