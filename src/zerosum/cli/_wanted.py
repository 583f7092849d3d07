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

    def of(self, generator: "TrainedGenerator", files: list[Path]) -> Any:
        """The condition of each file: as given, or the class after which its folder is named; else None.

        Raises `ValueError` for conditions that the generator does not have.
        """
        if self.classes and self.conditions:
            raise ValueError("images have --class or --condition, and not both")
        texts, condition = self.classes or self.conditions, generator.condition
        if texts and condition is None:
            raise ValueError(f"this {generator.recipe.name} generator has no conditions: it was trained without any")
        if texts and condition is not None:
            return condition.parse(texts, len(files))
        folders = [file.absolute().parent.name for file in files]
        return folders if files and {*folders} <= {*generator.classes} else None
