"""`zerosum directions`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import known, using

if TYPE_CHECKING:
    from zerosum.latent.direction import Direction


@using
def directions(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    attributes: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            metavar="NAME",
            help="What the direction changes: a formula such as thickness, slant, size, hue or contrast; a column of "
            "the conditions; a class; a function of --use. Repeatable.",
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="line (ridge regression), extremes (a plane between the extreme 2 %), gradient (of a network that "
            "predicts the attribute), or without attributes pca, sefa, pairs."
        ),
    ] = "line",
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="Stay within a class, by name or number. Repeatable.")
    ] = None,
    space: Annotated[
        str, typer.Option(help="z, w, layers or condition.", show_default="w where there is one, else z")
    ] = "",
    layers: Annotated[
        list[int] | None,
        typer.Option("--layer", metavar="N", help="Layer that it changes, from 0 on, in the space layers. Repeatable."),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Other attribute that stays as it is, or none. Repeatable.",
            show_default="the usual ones of such images",
        ),
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option("--pair", metavar="N:M", help="Samples N without and M with what is wanted. Repeatable."),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the direction.", show_default="the attribute")] = "",
    n: Annotated[int, typer.Option(help="Samples by which directions are found.")] = 4000,
    components: Annotated[int, typer.Option(help="Number of directions of pca and sefa.")] = 5,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Find directions that change an attribute of samples, measure them, and save them in the run.

    Each is saved as RUN/directions/NAME.safetensors with a strip of images, NAME.png. Its card has the change of the
    attribute and of all others per unit, in standard deviations of the data, how often the class is kept, and how far
    it may be pushed. Without --attribute and --method, the cards of the saved directions are printed.
    """
    removed = None if remove is None else tuple(one for one in remove if one != "none")
    given = {"method": method, "space": space, "n": n, "seed": seed, "components": components, "remove": removed}
    given |= {"wanted": tuple(classes or ()), "layers": tuple(layers or ())}
    found = _found(run, attributes or [], given, pairs or [], name)
    if as_json:
        print_json({one.name: None if one.card is None else one.card.facts for one in found})
        return
    echo(*(line for one in found for line in ([one.name] if one.card is None else one.card.lines(one.name))))


def _found(run: Path, attributes: list[str], options: dict[str, Any], pairs: list[str], name: str) -> "list[Direction]":
    """The directions that were asked for; without attributes and method, those of the run."""
    from zerosum._faults import explained_memory
    from zerosum.cli._bar import messages_and_bar
    from zerosum.latent.direction import load_directions
    from zerosum.latent.find import DirectionOptions, find_directions
    from zerosum.runs.run import Run

    opened = Run(run, known())
    if not attributes and not pairs and options["method"] == "line":
        there = [*load_directions(opened).values()]
        if not there:
            raise ValueError(f"{run} has no directions yet: find one, as --attribute thickness or --method sefa")
        return there
    how = DirectionOptions(**options, pairs=tuple(map(_pair, pairs)))
    with explained_memory("directions", "--n"), messages_and_bar("measuring") as (say, _):
        return find_directions(opened, attributes, how, name, known(), say)


def _pair(text: str) -> tuple[int, int]:
    """The two numbers of samples of N:M; raises `ValueError` for anything else."""
    first, _, second = text.partition(":")
    if not first.isdecimal() or not second.isdecimal():
        raise ValueError(f"--pair takes N:M, two numbers of samples; found {text!r}")
    return int(first), int(second)
