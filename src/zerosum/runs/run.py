"""A run folder as an object: all that a run left, read when it is asked for."""

__all__ = ["Run", "RunState"]

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zerosum._disk import read_text
from zerosum._text import printable
from zerosum.protocols import Autoencoder
from zerosum.recipes.reader import NOTHING, Known, read_recipe
from zerosum.recipes.recipe import Recipe
from zerosum.runs.checkpoint import checkpoints
from zerosum.runs.discriminator import TrainedDiscriminator, load_discriminator
from zerosum.runs.files import BEST, COMMAND, GENERATOR, MOST_TEXT, RECIPE, REPORT, SAMPLES, SCORES, VERSIONS, AnyPath
from zerosum.runs.generator import TrainedGenerator, load
from zerosum.runs.lock import is_locked
from zerosum.runs.log import Series, curves, evaluations, read_log
from zerosum.runs.notebook import run_html
from zerosum.runs.plain_json import read_table


@dataclass(frozen=True)
class RunState:
    """Where a run stands.

    Attributes:
        name: `new` before the first checkpoint, `under way` while a process trains it, `interrupted` when none does and
            something is left to do, and `ended`.
        images: real samples seen, as far as the run is saved or, while it is under way, logged.
        total: real samples of the whole run.
    """

    name: Literal["new", "under way", "interrupted", "ended"]
    images: int
    total: int

    def __str__(self) -> str:
        return f"{self.name}, {self.images:,} of {self.total:,} images"


class Run:
    """A run folder. Nothing is read before it is asked for, and every answer is of the folder as it is then.

    It can be given wherever a path is taken: `zerosum.load(run)`, `Path(run)`, `run / "log.jsonl"`. A stranger's folder
    can be opened: links to files are not followed, nothing in it is run, and what is damaged is refused.

    Args:
        path: the folder.
        known: what is your own of the recipe's parts, by name: dataclasses, and modules or what makes them.
        autoencoder: the one in whose latents the run was trained, where it was given in Python.

    Raises:
        ValueError: on reading, in one sentence, where the folder holds no run, or a file is missing or damaged.
        OSError: on reading, where the disk refuses.
    """

    def __init__(
        self,
        path: AnyPath,
        known: Known = NOTHING,
        autoencoder: Autoencoder | None = None,
    ) -> None:
        self.path, self.known, self.autoencoder = Path(path), known, autoencoder

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
        """The recipe as it is written, without its last line break."""
        try:
            return read_text(self.path / RECIPE, MOST_TEXT).strip()
        except (FileNotFoundError, NotADirectoryError):
            raise ValueError(
                f"{self.path} is not a run folder: it holds no {RECIPE}, with which every run begins"
            ) from None

    @property
    def recipe(self) -> Recipe:
        """What is trained; parts of your own that are not known keep their text, and say so where they are used."""
        return read_recipe(self.recipe_text, self.known, opaque=True)

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log, a dictionary a line: `images`, and numbers by name. Empty before the first line."""
        return read_log(self.path)

    @property
    def curves(self) -> dict[str, Series]:
        """The log by name, each `(images, values)` for plotting: `plt.plot(*run.curves["D/loss"])`."""
        return curves(self.log)

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        """The evaluations on the way: `images`, each score by its name, its standard error as `NAME_error`."""
        return evaluations(self.log)

    @property
    def scores(self) -> dict[str, Any]:
        """The scores at the end, by name; empty where there are none, or none yet."""
        return _table(self.path / SCORES)

    @property
    def versions(self) -> dict[str, Any]:
        """What the last start ran on: versions, machine, device, precision; empty before the first start."""
        return _table(self.path / VERSIONS)

    @property
    def command(self) -> str:
        """The command of the last start, as a shell takes it; empty before the first start."""
        try:
            return read_text(self.path / COMMAND, MOST_TEXT).strip()
        except FileNotFoundError:
            return ""

    @property
    def state(self) -> RunState:
        """Where the run stands."""
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
        """The folders of its checkpoints, newest first."""
        return checkpoints(self.path)

    @property
    def samples(self) -> list[Path]:
        """The images of samples, oldest first; the name of each is the number of images seen until then."""
        found = (self.path / SAMPLES).glob("*.png")
        return sorted((p for p in found if p.stem.isdecimal() and p.stem.isascii()), key=lambda p: int(p.stem))

    @property
    def report(self) -> Path:
        """Where the report is, once the run has ended or `zerosum report` has written one."""
        return self.path / REPORT

    @property
    def generator(self) -> TrainedGenerator:
        """The generator: the running average of its weights, at the newest checkpoint or the end. Loaded each time."""
        return load(self, self.known, self.autoencoder)

    @property
    def discriminator(self) -> TrainedDiscriminator:
        """The discriminator at the newest checkpoint, which scores images or points. Loaded each time."""
        return load_discriminator(self, self.known)

    @property
    def best(self) -> TrainedGenerator:
        """The generator as it was at the best of the run's evaluations. Loaded each time."""
        if not (self.path / BEST).is_file():
            raise ValueError(
                f"{self.path} keeps no best generator: train with --evaluate kid, and wait for the first score"
            )
        return load(self.path / BEST, self.known, self.autoencoder)


def is_run(path: AnyPath) -> bool:
    """Whether a folder holds a run, or what is needed to sample from one."""
    return any((Path(path) / name).is_file() for name in (RECIPE, GENERATOR))


def _table(path: Path) -> dict[str, Any]:
    try:
        return read_table(path)
    except FileNotFoundError:
        return {}
