"""`zerosum apply`."""

from pathlib import Path
from typing import Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import known, using


@using
def apply(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder or generator.safetensors file.")],
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Image, animated image, or folder of images.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Image file, or a new folder.")],
    mask: Annotated[
        Path | None,
        typer.Option(help="For inpainting: image that is white where pixels are filled in. Else the transparent ones."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed of the latents.")] = 0,
    variations: Annotated[int, typer.Option(help="Results for each image, where the generator has a latent.")] = 1,
    frames: Annotated[int, typer.Option(help="Frames by which a clip is continued.")] = 10,
    fidelity: Annotated[
        float | None,
        typer.Option(
            help="Mix with the pretrained network, in [0, 1]: 1 is the most faithful, 0 the most realistic.",
            show_default="0",
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--generator", metavar="NAME", help="One of several generators of the run's game.")
    ] = "generator",
    as_json: JsonFlag = False,
) -> None:
    """Apply a generator to images: enlarge, translate, colour, draw, fill in; or continue a clip.

    Images may have any size and mode; the orientation of EXIF is applied, and transparency kept where the format has
    it. Files that cannot be read are named and skipped.
    """
    from zerosum._faults import explained_memory
    from zerosum.applications.apply import ApplyOptions, apply_files
    from zerosum.cli._bar import messages_and_bar
    from zerosum.game.pretraining import PRETRAINED
    from zerosum.runs.applied import blended
    from zerosum.runs.generator import load

    options = ApplyOptions(mask, seed, variations, frames)
    generator = load(run, known(), generator=name)
    if fidelity is not None:
        generator = blended(generator, load(run, known(), generator=PRETRAINED), fidelity)
    with explained_memory("images", "smaller images"), messages_and_bar("applying") as (say, progress):
        results = apply_files(generator, source, target, options, progress)
        for result in results:
            if result.error:
                say(f"{result.source} {result.error}")
    written, failed = [file for one in results for file in one.written], [one for one in results if one.error]
    if as_json:
        print_json({"written": written, "failed": {str(one.source): one.error for one in failed}})
    elif written:
        skipped = f"; {len(failed):,} could not be used" if failed else ""
        where = " and ".join(map(str, written)) if len(written) <= 2 else f"{len(written):,} images to {target.parent}"
        where = f"{len(written):,} images to {target}" if source.is_dir() else where
        echo(f"wrote {where}{skipped}", err=True)
    if not written:
        raise typer.Exit(1)
