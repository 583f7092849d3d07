"""`zerosum recipes`."""

from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, print_json


def recipes(
    name: Annotated[str | None, typer.Argument(help="A recipe to print as text.")] = None, as_json: JsonFlag = False
) -> None:
    """List the recipes, or print one as the text that `zerosum train FILE.txt` reads."""
    import inspect

    from zerosum.recipes.named_recipes import catalogue, named
    from zerosum.recipes.recipe import pretty

    if name is not None:
        text = pretty(named(name))
        print_json({"name": name, "recipe": text}) if as_json else typer.echo(text)
        return
    lines = {key: (inspect.getdoc(make) or "").partition("\n")[0] for key, make in catalogue().items()}
    if as_json:
        print_json(lines)
        return
    width = max(map(len, lines))
    for key, line in lines.items():
        typer.echo(f"{key:{width}}  {line}")
