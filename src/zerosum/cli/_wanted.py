"""The options that say what images or samples are: their classes or conditions."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from zerosum.runs.generator import TrainedGenerator


@dataclass(frozen=True)
class Wanted:
    """Classes or conditions as texts."""

    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            help="Class name or number. Repeatable; cycled over samples or images. By default, an image has the class "
            "after which its folder is named, or the best of all.",
        ),
    ] = None
    conditions: Annotated[
        list[str] | None,
        typer.Option("--condition", "--prompt", metavar="NAME=VALUE", help="As of zerosum sample. Repeatable."),
    ] = None

    @property
    def texts(self) -> list[str]:
        """The classes or conditions; raises `ValueError` where both are given."""
        if self.classes and self.conditions:
            raise ValueError("give --class or --condition, and not both")
        return self.classes or self.conditions or []

    def parsed(self, generator: "TrainedGenerator", n: int) -> Any:
        """The conditions of n samples or images, as for `sample`; None where none are given.

        Raises `ValueError` for conditions that the generator does not have.
        """
        if not self.texts:
            return None
        if generator.condition is None:
            raise ValueError(f"this {generator.recipe.name} generator has no conditions: it was trained without any")
        return generator.condition.parse(self.texts, n)

    def of(self, generator: "TrainedGenerator", files: list[Path]) -> Any:
        """The condition of each file: as given, or the class after which its folder is named; else None.

        Raises `ValueError` for conditions that the generator does not have.
        """
        folders = [file.absolute().parent.name for file in files]
        named = folders if {*folders} <= {*generator.classes} else None
        return self.parsed(generator, len(files)) if self.texts else named
