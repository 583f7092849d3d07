"""The output of commands: printable lines, one JSON object for `--json`, and images in files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from PIL.Image import Image

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def echo(*lines: object, err: bool = False) -> None:
    """Print lines; control characters in them, such as terminal escapes in the name of a file, are escaped."""
    from zerosum._text import printable

    typer.echo("\n".join(map(printable, lines)), err=err)


def print_json(values: Mapping[str, Any]) -> None:
    """Print the object on one line."""
    typer.echo(json.dumps(values, default=str))


def save_image(image: "Image", path: Path) -> None:
    """Write an image sheet in the format of the file's suffix; raises `ValueError` for another suffix and for a link.

    Data sets pass it over (see `zerosum._outputs`).
    """
    from PIL.Image import registered_extensions

    from zerosum._disk import replacing
    from zerosum._outputs import SHEETS, sheet_exif

    kind = registered_extensions().get(path.suffix.lower()) if path.suffix.lower() in SHEETS else None
    if kind is None:
        raise ValueError(f"{path} should end in {', '.join(SHEETS[:-1])} or {SHEETS[-1]}")
    with replacing(path) as file:
        image.save(file, format=kind, exif=sheet_exif())
