"""`zerosum invert`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._groups import grouped
from zerosum.cli._output import JsonFlag, echo, print_json
from zerosum.cli._use import known, using
from zerosum.cli._wanted import Wanted

if TYPE_CHECKING:
    from zerosum.latent.inversion import Inversion
    from zerosum.latent.reach import Reach
    from zerosum.runs.generator import TrainedGenerator


@dataclass(frozen=True)
class _Search:
    """How the points are searched."""

    space: Annotated[
        str, typer.Option(help="z, w, layers or condition.", show_default="w where there is one, else z")
    ] = ""
    starts: Annotated[int, typer.Option(help="Samples from which the search starts, for each image.")] = 4
    steps: Annotated[int, typer.Option(help="Steps of gradient descent.")] = 400
    features: Annotated[
        str, typer.Option(help="Feature extractor of the perceptual loss, as random-conv or alexnet, or none.")
    ] = "random-conv"
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0


@using
@grouped
def invert(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder or generator.safetensors file.")],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Image files of any size, or folders of such files.")
    ],
    wanted: Wanted,
    search: _Search,
    out: Annotated[
        Path | None,
        typer.Option(
            help="FILE.png for the images above those that the generator makes. Their points are saved beside it, as "
            "FILE.safetensors.",
            show_default="RUN/invert.png",
        ),
    ] = None,
    tune: Annotated[
        bool,
        typer.Option("--tune", help="Then tune a copy of the generator to the images: FILE-generator.safetensors."),
    ] = False,
    references: Annotated[
        int, typer.Option(help="Samples and real images that are inverted too, by which the errors are measured.")
    ] = 40,
    as_json: JsonFlag = False,
) -> None:
    """Find the latents of real images: the samples that are most like them.

    For each image it prints the error, the distance to the nearest training image, and whether the image lies outside
    the generator's range: then an edit starts from another image. `zerosum edit RUN --image FILE.safetensors` edits
    them. The generator of the run stays as it is.
    """
    from zerosum._faults import explained_memory
    from zerosum.cli._inversions import image_files, inverted
    from zerosum.latent.inversion_file import save_inversion
    from zerosum.latent.invert import InvertOptions
    from zerosum.latent.tune import tune as tuned
    from zerosum.runs.generator import load

    generator = load(run, known())
    target = out or (run if run.is_dir() else run.parent) / "invert.png"
    if target.suffix.lower() != ".png":
        raise ValueError(f"--out is FILE.png, beside which FILE.safetensors is written; found {target}")
    files = image_files(images)
    features = "" if search.features == "none" else search.features
    options = InvertOptions(search.starts, search.steps, features=features, seed=search.seed)
    with explained_memory("images", "fewer images or --starts"):
        found, reach = inverted(generator, files, wanted, search.space, options, references)
        before = found
        if tune:
            found = tuned(found, say=lambda text: echo(text, err=True))
        written = [target, *save_inversion(target.with_suffix(".safetensors"), found, generator)]
        _write(target, before, found)
    _report(files, found, reach, generator, written, as_json)


def _write(target: Path, before: "Inversion", after: "Inversion") -> None:
    """Write the sheet: images, what the generator makes of them, and what the tuned one does."""
    from zerosum.cli._inversions import shown, write_rows
    from zerosum.runs.images import to_bytes

    rows = [shown(before), to_bytes(before.images)]
    write_rows(target, rows if after is before else [*rows, to_bytes(after.images)])


def _report(
    files: list[Path],
    found: "Inversion",
    reach: "Reach",
    generator: "TrainedGenerator",
    written: list[Path],
    as_json: bool,
) -> None:
    from zerosum.cli._inversions import classes_of

    names = classes_of(found, generator)
    if as_json:
        facts = reach.facts([str(file) for file in files])
        tuned = [] if found.tuned is None else found.errors.tolist()
        for i, one in enumerate(facts):
            one |= {"class": names[i]} if names else {}
            one |= {"tuned_error": tuned[i]} if tuned else {}
        print_json({"out": written, "images": facts})
        return
    titles = [f"{file} (class {names[i]})" if names else str(file) for i, file in enumerate(files)]
    echo(*reach.lines(titles))
    echo(f"wrote {', '.join(map(str, written))}", err=True)
