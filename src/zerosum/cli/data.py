"""`zerosum data info` and `zerosum data check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._output import JsonFlag, print_json

if TYPE_CHECKING:
    from zerosum.data.inspect import Column

app = typer.Typer(help="Look at data before training on it.", no_args_is_help=True)

Source = Annotated[str, typer.Argument(help="A folder or zip of images, a .npy/.npz, or a source like 'Ring()'.")]


@app.command("info")
def info(
    data: Source,
    sheet: Annotated[Path, typer.Option(help="Where to write the contact sheet.")] = Path("contact-sheet.png"),
    as_json: JsonFlag = False,
) -> None:
    """Tell count, shapes and classes or conditions, and write a contact sheet."""
    from dataclasses import asdict

    from zerosum.cli._bar import bar
    from zerosum.cli.train import data_source
    from zerosum.data.conditions import shortened
    from zerosum.data.inspect import info as look
    from zerosum.data.sheet import contact_sheet

    dataset = data_source(data).open()
    with bar("reading") as progress:
        facts = look(dataset, progress)
    contact_sheet(dataset).save(sheet)
    if as_json:
        print_json({**asdict(facts), "sheet": sheet})
        return
    shape = " x ".join(map(str, facts.shape))
    kind = "pictures (channels x height x width)" if dataset.is_image else "points"
    typer.echo(f"{facts.name}: {facts.count:,} {kind} of {shape}, {facts.bytes / 1e6:,.1f} MB decoded")
    typer.echo(f"values   {facts.low:g} to {facts.high:g}, mean {_list(facts.mean)}, deviation {_list(facts.std)}")
    if facts.conditions:
        attributes = all(column.attribute for column in facts.conditions.values())
        told = [_told(name, column) for name, column in facts.conditions.items()]
        typer.echo(f"{'yes/no ' if attributes else 'numbers'}  {shortened(told)}")
    else:
        typer.echo(f"classes  {', '.join(f'{k} ({n:,})' for k, n in facts.classes.items()) or 'none'}")
    typer.echo(f"repeated {facts.duplicates:,}")
    for note in facts.notes:
        typer.echo(f"note     {note}")
    typer.echo(f"look at  {sheet}")


@app.command("check")
def check(data: Source, as_json: JsonFlag = False) -> None:
    """Decode everything, and list what is broken; exit status 1 if anything is."""
    from dataclasses import asdict

    from zerosum.cli._bar import bar
    from zerosum.cli.train import data_source
    from zerosum.data.inspect import check as examine

    with bar("decoding") as progress:
        found = examine(data_source(data), progress)
    if as_json:
        print_json(asdict(found))
    else:
        for broken in found.broken:
            typer.echo(f"{broken.file}: {broken.reason}")
        for note in found.notes:
            typer.echo(f"note: {note}", err=True)
        typer.echo(f"{found.checked:,} looked at, {len(found.broken):,} broken")
    if found.broken:
        raise typer.Exit(1)


def _told(name: str, column: "Column") -> str:
    if column.attribute:
        return f"{name} ({column.mean:.1%})"
    return f"{name} ({column.low:g} to {column.high:g}, mean {column.mean:.3g}, deviation {column.std:.3g})"


def _list(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)
