"""`zerosum recipes`."""

from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, print_json


def recipes(
    name: Annotated[str | None, typer.Argument(help="A recipe to print as text.")] = None, as_json: JsonFlag = False
) -> None:
    """List the recipes by groups, with their years, or print one as the text that `zerosum train FILE.txt` reads."""
    from itertools import groupby

    from zerosum.recipes.named_recipes import about, catalogue, named
    from zerosum.recipes.recipe import pretty

    if name is not None:
        text = pretty(named(name))
        print_json({"name": name, "recipe": text}) if as_json else typer.echo(text)
        return
    told = {key: about(make) for key, make in catalogue().items()}
    if as_json:
        print_json({key: {"group": a.group, "year": a.year, "line": a.line} for key, a in told.items()})
        return
    width = max(map(len, told))
    for group, members in groupby(sorted(told, key=lambda key: (told[key].group, key)), lambda key: told[key].group):
        typer.echo(f"{group}:")
        for key in members:
            typer.echo(f"  {key:{width}}  {told[key].year or '':4}  {told[key].line}")
        typer.echo()
