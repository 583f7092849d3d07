"""`zerosum directions`."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import known, using


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
    from zerosum._faults import explained_memory
    from zerosum.cli._bar import messages_and_bar
    from zerosum.latent.direction import load_directions
    from zerosum.latent.find import DirectionOptions, find_directions, parsed_pairs
    from zerosum.runs.run import Run

    opened = Run(run, known())
    if not attributes and method == "line":
        found = [*load_directions(opened).values()]
        if not found:
            raise ValueError(f"{run} has no directions yet: find one, as --attribute thickness or --method sefa")
    else:
        removed = None if remove is None else tuple(one for one in remove if one != "none")
        options = DirectionOptions(
            method=method,  # type: ignore[arg-type]  # checked there
            space=space,
            wanted=tuple(classes or ()),
            n=n,
            seed=seed,
            remove=removed,
            components=components,
            pairs=parsed_pairs(pairs or ()),
        )
        with explained_memory("directions", "--n"), messages_and_bar("measuring") as (say, _):
            found = find_directions(opened, attributes or (), options, name, known(), say)
    if as_json:
        print_json({one.name: None if one.card is None else one.card.facts for one in found})
        return
    for one in found:
        echo(*([one.name] if one.card is None else one.card.lines(one.name)))
