"""Writing the report of a run."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from zerosum._disk import read_foreign, replace_durably
from zerosum._paths import AnyPath
from zerosum._text import duration
from zerosum.data.dataset import Dataset
from zerosum.report._curves import curves
from zerosum.report._html import Section, joined, prose, table
from zerosum.report._samples import over_time
from zerosum.report._sections import Shown
from zerosum.report._symptoms import symptoms
from zerosum.report._verdict import verdict
from zerosum.runs.generator import TrainedGenerator
from zerosum.runs.run import Run

_STYLE = Path(__file__).with_name("page.css")
_NO_SAMPLES = "No samples were generated for this report"
# The page loads nothing and runs no scripts, whatever names and texts it contains.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write_report(run: AnyPath, generator: TrainedGenerator | None = None, dataset: Dataset | None = None) -> Path:
    """Write `report.html` into a run folder and return its path.

    The page is self-contained. The report of an unfinished run shows what is available; a section that cannot be shown
    gives the reason instead.

    Args:
        run: the run folder.
        generator: the run's generator; by default it is loaded from the folder.
        dataset: the training data; by default the recipe's data are opened.

    Raises:
        ValueError: if the folder is not a run or its log is damaged; also if the generator cannot be loaded but a
            report with samples exists, which is kept.
    """
    run = run if isinstance(run, Run) else Run(run)
    text, log, scores = run.recipe_text, run.log, run.scores
    missing = ""
    if generator is None:
        try:
            generator = run.generator
        except ValueError as error:
            if _is_fuller(run.report):
                raise ValueError(f"{run.report} is kept, since a new report would show no samples: {error}") from None
            missing = f"{_NO_SAMPLES}: {error}."
    unit = "images" if generator is None or generator.is_image else "points"
    shown = None if generator is None else Shown.of(run, generator, scores, dataset)
    grids = over_time(run.samples, unit, None if shown is None else shown.real_images())
    sampled = [] if shown is None else [*shown.sections()]
    signs = [] if shown is None else filter(None, [symptoms(run, shown.generator, unit)])
    sections = [grids, *signs, *sampled, curves(log, unit), *_scores(scores), _recipe(text, run)]
    name = run.path.resolve().name if generator is None else generator.recipe.name
    lead = [verdict(str(run), log, scores, run.curves), *_progress(log, generator, unit), missing]
    replace_durably(run.report, _page(name, lead, sections).encode())
    return run.report


def _is_fuller(page: Path) -> bool:
    """Whether there is a report with samples."""
    return page.is_file() and _NO_SAMPLES.encode() not in read_foreign(page)


def _progress(log: Sequence[Mapping[str, Any]], generator: TrainedGenerator | None, unit: str) -> list[str]:
    """Return sentences on the progress and speed of the run."""
    images = log[-1]["images"] if log else generator.images if generator is not None else 0
    sentence = f"Trained on {images:,} {unit}"
    if log and log[-1].get("seconds"):
        seconds = log[-1]["seconds"]
        sentence += f" in {duration(seconds)}, at {images / seconds:,.0f} {unit} per second"
    sentences = [f"{sentence}."]
    if generator is not None and images < generator.recipe.images:
        sentences.append(f"The run is not finished: it trains for {generator.recipe.images:,} {unit}.")
    return sentences


def _scores(scores: Mapping[str, Any]) -> list[Section]:
    single = {name.replace("_", " "): value for name, value in scores.items() if not isinstance(value, dict)}
    rows = {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in single.items()}
    return [Section("scores", "Scores", table(rows))] if rows else []


def _recipe(text: str, run: Run) -> Section:
    """Return the recipe, command and versions that reproduce the run."""
    parts = [f"<pre>{escape(text)}</pre>"]
    if command := run.command:
        parts.append(f"<h3>Command</h3>\n<pre class='command'>{escape(command)}</pre>")
    if versions := run.versions:
        parts.append(f"<h3>Versions</h3>\n{table(versions)}")
    return Section("recipe", "Recipe", joined(parts))


def _page(name: str, lead: Sequence[str], sections: Sequence[Section]) -> str:
    links = joined(f'<a href="#{section.anchor}">{escape(section.title)}</a>' for section in sections)
    head = (
        f'<meta charset="utf-8">\n<title>{escape(name)} – zerosum</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<style>\n{_STYLE.read_text()}</style>"
    )
    sentences = joined(prose(sentence) for sentence in lead if sentence)
    header = f'<header>\n<p class="kicker">zerosum report</p>\n<h1>{escape(name)}</h1>\n{sentences}\n</header>'
    body = f"{header}\n<nav>{links}</nav>\n<main>\n{joined(section.html() for section in sections)}\n</main>"
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'
