"""`zerosum parts`."""

from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json


def parts(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Package, such as objectives or terms, or class, such as Hinge."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the classes that recipes and --set can use.

    These are objectives, terms, networks, sources and more.

    With a package's name, list its classes with their arguments; with a class's name, show its documentation.
    """
    import inspect

    from zerosum.recipes.descriptions import part_named, parts_by_room, summary, written

    rooms = parts_by_room()
    if name is not None and name not in rooms:
        kind = part_named(name)
        text = {"part": name, "written": written(kind), "text": inspect.getdoc(kind) or ""}
        print_json(text) if as_json else echo(text["written"], "", *text["text"].split("\n"))
        return
    chosen = rooms if name is None else {name: rooms[name]}
    if as_json:
        print_json({room: {k.__name__: [written(k), summary(k)] for k in kinds} for room, kinds in chosen.items()})
        return
    for room, kinds in chosen.items():
        echo(f"{room}:")
        for kind in kinds:
            echo(f"  {kind.__name__ if name is None else written(kind)}", f"      {summary(kind)}")
        echo("")
