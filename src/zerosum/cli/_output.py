"""One JSON object on standard output, for `--json`."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


def print_json(values: Mapping[str, Any]) -> None:
    """Print the object on one line."""
    typer.echo(json.dumps(values, default=str))
