"""`zerosum data info`, `zerosum data check`, `zerosum data pack` and `zerosum data autoencoder`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerosum.cli._output import JsonFlag, echo, print_json, save_image
from zerosum.cli._use import using

if TYPE_CHECKING:
    from zerosum.data.inspect import Column

app = typer.Typer(help="Inspect and prepare data sets.", no_args_is_help=True)

Source = Annotated[
    str, typer.Argument(metavar="DATA", help="Folder or zip of images, .npy/.npz file, or a source like 'Ring()'.")
]


@app.command("info")
@using
def info(
    data: Source,
    sheet: Annotated[Path, typer.Option(help="Output file of the contact sheet.")] = Path("contact-sheet.png"),
    as_json: JsonFlag = False,
) -> None:
    """Show a summary of a data set, and write a contact sheet.

    The summary has count, shape, value statistics, classes or conditions, and duplicates.
    """
    from dataclasses import asdict

    from zerosum.cli._bar import bar
    from zerosum.cli._recipe import data_source
    from zerosum.conditions.condition import shortened
    from zerosum.data.contact_sheets import contact_sheet
    from zerosum.data.inspect import info as inspect
    from zerosum.data.texts import TextCoding

    dataset = data_source(data).open()
    with bar("reading") as progress:
        facts = inspect(dataset, progress)
    save_image(contact_sheet(dataset), sheet)
    if as_json:
        print_json({**asdict(facts), "sheet": sheet})
        return
    shape = " x ".join(map(str, facts.shape))
    kind = "points" if not dataset.is_image else "latents" if dataset.coding else "images"
    kind += " (channels x height x width)" if dataset.is_image else ""
    kind = "texts (symbols x 1 x characters)" if isinstance(dataset.coding, TextCoding) else kind
    echo(f"{facts.name}: {facts.count:,} {kind} of {shape}, {facts.bytes / 1e6:,.1f} MB decoded")
    echo(f"values     {facts.low:g} to {facts.high:g}, mean {_list(facts.mean)}, std {_list(facts.std)}")
    if facts.conditions:
        attributes = all(column.attribute for column in facts.conditions.values())
        columns = [_formatted(name, column) for name, column in facts.conditions.items()]
        echo(f"{'binary    ' if attributes else 'continuous'} {shortened(columns)}")
    else:
        echo(f"classes    {', '.join(f'{k} ({n:,})' for k, n in facts.classes.items()) or 'none'}")
    echo(f"duplicates {facts.duplicates:,}")
    for note in facts.notes:
        echo(f"note       {note}")
    echo(f"wrote      {sheet}")


@app.command("check")
@using
def check(data: Source, as_json: JsonFlag = False) -> None:
    """Decode every sample and list broken files. Exit status 1 if there are any."""
    from dataclasses import asdict

    from zerosum.cli._bar import bar
    from zerosum.cli._recipe import data_source
    from zerosum.data.inspect import check as examine

    with bar("decoding") as progress:
        found = examine(data_source(data), progress)
    if as_json:
        print_json(asdict(found))
    else:
        for broken in found.broken:
            echo(f"{broken.file}: {broken.reason}")
        for note in found.notes:
            echo(f"note: {note}", err=True)
        echo(f"{found.checked:,} checked, {len(found.broken):,} broken")
    if found.broken:
        raise typer.Exit(1)


@app.command("pack")
@using
def pack(
    data: Source,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Output folder: new, or of the same command interrupted.")],
    size: Annotated[int | None, typer.Option(help="Height and width of the images (folders and zips).")] = None,
    fit: Annotated[
        str | None, typer.Option(help="crop or pad to a square (folders and zips).", show_default="crop")
    ] = None,
    bad: Annotated[str | None, typer.Option(help="On broken images: error or skip.", show_default="error")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Pre-process a data set into memory-mapped files for fast training.

    The same command resumes after an interruption. Train with `--data OUT`.
    """
    from dataclasses import replace

    from zerosum.cli._bar import bar
    from zerosum.cli._recipe import data_source
    from zerosum.data.sources.folders import Images
    from zerosum.data.sources.packing import pack as write

    chosen = data_source(data)
    settings: dict[str, Any] = {"size": size, "fit": fit, "bad": bad}
    given = {name: value for name, value in settings.items() if value is not None}
    if isinstance(chosen, Images):
        chosen = replace(chosen, **given)
    elif given:
        raise ValueError("--size, --fit and --bad apply to folders and zips of images: leave them out for other data")
    with bar("packing") as progress:
        packed = write(chosen, out, progress)
    facts = {"out": out, "count": packed.count, "shape": packed.shape, "classes": packed.classes, "notes": packed.notes}
    if as_json:
        print_json(facts)
        return
    for note in packed.notes:
        echo(f"note: {note}", err=True)
    echo(f"{packed.count:,} samples of {' x '.join(map(str, packed.shape))} in {out}", err=True)
    echo(f"train with   --data {out}", err=True)


@app.command("autoencoder")
@using
def autoencoder(
    data: Source,
    out: Annotated[Path, typer.Option(help="Output folder, new.")],
    size: Annotated[int, typer.Option(help="Channels after the first downsampling.")] = 16,
    channels: Annotated[int, typer.Option(help="Channels of the latents.")] = 4,
    halvings: Annotated[
        int | None, typer.Option(help="Number of 2x downsamplings.", show_default="up to 3, to a size of at least 8")
    ] = None,
    images: Annotated[int, typer.Option(help="Training length, in images.")] = 40_000,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Train a small autoencoder on images, for GANs on its latents."""
    from zerosum.autoencoders.latents import train_autoencoder
    from zerosum.cli._recipe import data_source

    made = train_autoencoder(
        data_source(data), out, size=size, channels=channels, halvings=halvings, images=images, seed=seed
    )
    if as_json:
        print_json({"out": out, **made})
        return
    echo(f"reconstruction error {made['error']:.3f} (pixels in -1..1)", err=True)
    echo(f"train with  --data \"Latents({data_source(data)!r}, '{out}')\"", err=True)


def _formatted(name: str, column: "Column") -> str:
    if column.attribute:
        return f"{name} ({column.mean:.1%})"
    return f"{name} ({column.low:g} to {column.high:g}, mean {column.mean:.3g}, std {column.std:.3g})"


def _list(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)
