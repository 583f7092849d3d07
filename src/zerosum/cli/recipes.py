"""`zerosum recipes`."""

from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json


def recipes(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Name of a recipe to print as text.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the named recipes, or print one as text.

    `zerosum train FILE.txt` reads that text.
    """
    from itertools import groupby

    from zerosum.recipes.named_recipes import about, catalogue, named
    from zerosum.recipes.recipe import pretty

    if name is not None:
        text = pretty(named(name))
        print_json({"name": name, "recipe": text}) if as_json else echo(*text.split("\n"))
        return
    found = {key: about(make) for key, make in catalogue().items()}
    if as_json:
        print_json({key: {"group": a.group, "year": a.year, "line": a.line} for key, a in found.items()})
        return
    width = max(map(len, found))
    for group, members in groupby(sorted(found, key=lambda key: (found[key].group, key)), lambda key: found[key].group):
        echo(f"{group}:")
        for key in members:
            echo(f"  {key:{width}}  {found[key].year or '':4}  {found[key].line}")
        echo("")
