"""`zerosum evaluate`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerosum.cli._output import JsonFlag, echo, print_json, save_image
from zerosum.cli._use import known, using

if TYPE_CHECKING:
    from zerosum.evaluation.config import EvaluationConfig
    from zerosum.evaluation.evaluate import Evaluator
    from zerosum.evaluation.scores import Scores

_SET = "a folder, zip or packed set of images, a .npz of images or features, a run folder, or a source like 'Digits()'"
_MEASURES = Path(__file__).parents[1] / "evaluation" / "measures"


def _names() -> list[str]:
    """The names of all metrics, read from the text of their files, since --help loads no torch."""
    texts = (path.read_text(encoding="utf-8") for path in _MEASURES.glob("*.py"))
    return sorted(name for text in texts for name in re.findall(r'^    name: ClassVar\[str\] = "(.+)"$', text, re.M))


# Written out, since --help loads no torch; a test holds them to what there is.
_FEATURES = "inception, lite0, dinov2, vgg16, alexnet, classifier:FILE, random-conv, pixels or package.module:function"


@using
def evaluate(
    real: Annotated[str, typer.Argument(metavar="REAL", help=f"Real samples: {_SET}; or saved moments. Or RUN alone.")],
    fake: Annotated[
        str | None, typer.Argument(metavar="FAKE", help="Generated samples (same formats as REAL).", show_default=False)
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help=f"Comma-separated metrics: {', '.join(_names())}.", show_default="fid,kid")
    ] = None,
    features: Annotated[
        str | None, typer.Option(help=f"Feature extractor: {_FEATURES}.", show_default="inception")
    ] = None,
    n: Annotated[int | None, typer.Option(help="Maximum number of samples of each set.", show_default="all")] = None,
    seed: Annotated[int, typer.Option(help="Random seed of generated samples, and of subsets of n.")] = 0,
    batch: Annotated[int, typer.Option(help="Batch size of the extractor (does not affect scores).")] = 64,
    held_out: Annotated[
        str | None,
        typer.Option(help="Real test samples, not used in training (formats as REAL), if metrics need any."),
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Do not read or write cached features.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="FILE.json for scores; without FAKE, FILE.safetensors for the moments of REAL.")
    ] = None,
    sanity: Annotated[
        bool, typer.Option("--sanity", help="Corrupt REAL with known distortions and report which metrics detect them.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Compute metrics of generated against real samples, with their protocol and standard errors.

    RUN alone is scored against its data, or the part held out of training. Another REAL alone, with --out
    FILE.safetensors: save its moments, for fid.
    With --sanity, FAKE is mixed in as a distortion, --n counts all images, --out is a folder, all metrics the default.
    """
    from zerosum.cli._bar import messages_and_bar
    from zerosum.evaluation.config import EvaluationConfig
    from zerosum.evaluation.evaluate import Evaluator
    from zerosum.evaluation.scores import write_scores

    if fake is None and not (sanity or (out and out.suffix == ".safetensors")):
        real, fake, features = _of_run(real, features)
    config = EvaluationConfig(features, n, seed, batch, cache=not no_cache, known=known())
    if sanity:
        _check_sanity(out, held_out)
        _sanity(real, fake, config, _split(metrics) if metrics else None, out or Path("sanity"), as_json)
        return
    _check_out(fake, out)
    names = ["fid"] if fake is None else _split(metrics or "fid,kid")
    with messages_and_bar("evaluating") as (say, progress):
        evaluator = Evaluator(real, names, config, held_out, say, progress)
        if fake is None and out is not None:
            facts = _save_moments(evaluator, out)
        else:
            scores = evaluator.score(fake)
    if fake is None:
        print_json(facts) if as_json else echo(f"wrote the moments of {facts['n']:,} samples to {out}", err=True)
        return
    if out is not None:
        write_scores(out, scores)
        _show_pairs(evaluator, fake, scores, out.with_suffix(".pairs.png"))
    print_json(scores.as_dict()) if as_json else echo(*_table(scores))


def _sanity(
    real: str, other: str | None, config: "EvaluationConfig", metrics: list[str] | None, out: Path, as_json: bool
) -> None:
    from zerosum.cli._bar import messages_and_bar
    from zerosum.evaluation.sanity.gallery_page import sanity_table, write_sanity
    from zerosum.evaluation.sanity.sample_sets import check_sample_set

    with messages_and_bar("evaluating") as (say, progress):
        found = check_sample_set(real, other, config, say, progress, metrics)
    write_sanity(out, found)
    if as_json:
        print_json({"out": out, **found.as_dict()})
        return
    echo(*sanity_table(found).split("\n"))
    echo(f"wrote {out / 'sanity.html'}", err=True)


def _of_run(real: str, features: str | None) -> tuple[str, str | None, str | None]:
    """The data, samples and feature extractor of a run that was given alone; anything else unchanged."""
    from zerosum._paths import user_path
    from zerosum.data.held_out import held_out
    from zerosum.recipes.recipe import flat
    from zerosum.runs.run import Run, is_run

    if not is_run(user_path(real)) or not user_path(real).is_dir():
        return real, None, features
    recipe = Run(user_path(real), known()).recipe
    planned = None if recipe.evaluation is None else recipe.evaluation.features
    return flat(held_out(recipe.data)), real, planned if features is None and isinstance(planned, str) else features


def _split(metrics: str) -> list[str]:
    return [name.strip() for name in metrics.split(",")]


def _check_sanity(out: Path | None, held_out: str | None) -> None:
    if held_out is not None:
        raise ValueError(f"--sanity takes held-out samples from REAL; found --held-out {held_out}: leave it out")
    if out is not None and out.suffix:
        raise ValueError(f"--sanity writes images, scores and a page into a folder; found --out {out}")


def _check_out(fake: str | None, out: Path | None) -> None:
    """Raise `ValueError` for an output file of the wrong type, before anything is computed."""
    if fake is None and (out is None or out.suffix != ".safetensors"):
        raise ValueError(
            "without FAKE only the moments of REAL are computed, unless it is a run folder: name --out FILE.safetensors"
        )
    if fake is not None and out is not None and out.suffix != ".json":
        raise ValueError(f"scores go into a .json file; found --out {out}")


def _save_moments(evaluator: "Evaluator", out: Path) -> dict[str, object]:
    from zerosum.evaluation.stored import save_moments

    stored = evaluator.stored_moments()
    save_moments(out, stored)
    return {"out": out, "n": stored.moments.count, "content": stored.content, "features": dict(stored.features)}


def _show_pairs(evaluator: "Evaluator", fake: str, scores: "Scores", out: Path) -> None:
    """Plot the pairs of generated and real samples that illustrate a score, where there are any."""
    from zerosum.plots.image_pairs import pairs

    found = evaluator.pair_images(fake, scores.pairs) if scores.pairs else None
    if found is not None:
        save_image(pairs(found[0].numpy(), found[1].numpy(), ("generated", "nearest real")), out)
        echo(f"wrote {out}", err=True)


def _table(scores: "Scores") -> list[str]:
    """Scores as text: a line each, then the sets and features they were computed from."""
    from zerosum.evaluation.scores import format_score

    protocol = scores.protocol
    width = max(map(len, scores.values))
    lines = [f"{name:{width}}  {format_score(value, scores.errors.get(name))}" for name, value in scores.values.items()]
    real, fake = (f"{protocol[name]} ({protocol[f'{name}.n']:,})" for name in ("real", "fake"))
    return [*lines, "", f"{fake} against {real}, {protocol['features.name']} features"]
