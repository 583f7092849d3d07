"""Tables of the documentation, generated from the code: `python -m docs.generate` writes them.

A page includes a table by a mark (see `docs/generate.py`). New objectives, terms, networks, sources and recipes appear
automatically.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import zerosum
from zerosum._rooms import homes
from zerosum.diagnostics.diagnose import symptom_checks
from zerosum.diagnostics.signals.names import SIGNALS
from zerosum.evaluation.measure import measure_kinds
from zerosum.features.extractor import extractor_kinds
from zerosum.latent.attribute import formulas
from zerosum.recipes.auto import RULES
from zerosum.recipes.descriptions import defaults, summary, written
from zerosum.recipes.named_recipes import about, catalogue
from zerosum.recipes.reader import vocabulary
from zerosum.recipes.recipe import Recipe

ROOMS = [room.name for room in pkgutil.iter_modules(zerosum.__path__) if room.ispkg and room.name != "cli"]
NO_IMAGE = "no run yet"


def all_tables() -> dict[str, str]:
    """Return every table that a page may ask for, as Markdown by name."""
    return {
        "systems": systems(),
        "gallery": gallery(),
        "recipe_fields": field_table(Recipe),
        "objectives": objective_table(),
        "kernels": part_table("objectives", "__call__", "squared_distance"),
        "terms": part_table("terms", "__call__", "turn"),
        "schedules": part_table("terms", "__call__", "progress"),
        "projections": part_table("terms", "__call__", "network"),
        "augmentations": part_table("augment", "__call__", "x", "role", "turn"),
        "transformations": part_table("augment", "__call__", "x", "draws", "purpose"),
        "augment_schedules": part_table("augment", "__call__", "progress"),
        "generators": part_table("networks", "build", "latent", "shape", "condition"),
        "discriminators": part_table("networks", "build", "shape", "condition"),
        "latents": part_table("game", "draw", "count", "generator"),
        "optimisers": part_table("recipes", "build", "parameters"),
        "sources": part_table(("data", "autoencoders"), "open"),
        "distributions": part_table("distributions", "inverse_cdf", "u"),
        "extractors": extractors(),
        "attributes": attributes(),
        "metrics": metric_table(),
        "auto": rules(),
        "signals": signals(),
        "symptoms": symptoms(),
    }


def references() -> dict[str, str]:
    """Return the reference sections of the built manual, by name: directives, for `docs/api.md` alone."""
    return {f"api_{room}": reference(room) for room in ROOMS}


def extractors() -> str:
    """Return the feature extractors by name."""
    rows = [(code(name), prose(summary(kind))) for name, kind in extractor_kinds().items()]
    return table(("name", "what it is"), rows)


def signals() -> str:
    """Return the signals of a run by name."""
    return table(("signal", "what it is"), [(code(name), prose(text)) for name, text in SIGNALS.items()])


def symptoms() -> str:
    """Return the symptoms of a run by name."""
    rows = [(code(name), prose(summary(check))) for name, check in symptom_checks().items()]
    return table(("symptom", "what it is"), rows)


def attributes() -> str:
    """Return the formulas of attributes, those of drawings first."""
    rows = [
        (code(name), kind, prose(summary(one.call)))
        for kind, channels in (("drawings: grey", 1), ("colour", 3))
        for name, one in formulas(channels).items()
    ]
    return table(("attribute", "usual for images", "what it is"), rows)


def rules() -> str:
    """Return the rules by which `auto` chooses a recipe, in their order."""
    rows = [(rule.when, f"[{rule.recipe}](systems/{rule.recipe}.md)", rule.why) for rule in RULES]
    return table(("the first that fits", "recipe", "why"), rows)


def parts(rooms: str | tuple[str, ...], method: str, *parameters: str) -> list[type]:
    """Return the classes of rooms that recipe text may name and whose method takes just these parameters."""
    homes_of = tuple(f"zerosum.{room}." for room in ((rooms,) if isinstance(rooms, str) else rooms))
    return [
        kind
        for kind in vocabulary().values()
        if kind.__module__.startswith(homes_of)
        and method in vars(kind)
        and [*inspect.signature(vars(kind)[method]).parameters] == ["self", *parameters]
    ]


def part_table(rooms: str | tuple[str, ...], method: str, *parameters: str) -> str:
    """Return a row per class: how it is written in recipe text, and its summary."""
    rows = [(code(written(kind)), prose(summary(kind))) for kind in parts(rooms, method, *parameters)]
    return table(("written", "what it is"), rows)


def objective_table() -> str:
    """Return a row per objective: its summary, and the losses of D and G."""
    rows = [
        (
            f"{code(kind.__name__)}<br>{prose(summary(kind))}",
            equation(vars(kind)["d_loss"]),
            equation(vars(kind)["g_loss"]),
        )
        for kind in parts("objectives", "d_loss", "real", "fake")
    ]
    return table(("objective", "D minimises", "G minimises"), rows)


def metric_table() -> str:
    """Return what `zerosum evaluate --metrics` takes, and the scores that each metric gives."""
    rows = [
        (code(name), code(score), prose(info.line), info.better or "neither", prose(info.error or "none"))
        for name, kind in measure_kinds().items()
        for score, info in kind().gives.items()
    ]
    return table(("`--metrics`", "score", "what it is", "better", "standard error"), rows)


def systems() -> str:
    """Return the named recipes in their groups, each with its image and a link to its page in docs/systems."""
    parts: list[str] = []
    for group, found in grouped().items():
        rows = [
            (
                f"[{image(name, '../', 72)}]({name}.md)",
                f"[{name}]({name}.md)",
                f"{make().images:,}",
                prose(about(make).line),
            )
            for name, make in found.items()
        ]
        parts += [f"## {group}", table(("image", "recipe", "training images", "what it is"), rows)]
    return "\n\n".join(parts)


def gallery(columns: int = 3) -> str:
    """Return the images of all named recipes in their groups, each linked to its page."""
    parts: list[str] = []
    for group, found in grouped().items():
        cells = [f"[{image(name, '', 240)}](systems/{name}.md)<br>[{name}](systems/{name}.md)" for name in found]
        cells += [" "] * (-len(cells) % columns)
        rows = [tuple(cells[first : first + columns]) for first in range(0, len(cells), columns)]
        parts += [f"## {group}", table((" ",) * columns, rows)]
    return "\n\n".join(parts)


def grouped() -> dict[str, dict[str, Callable[[], Recipe]]]:
    """Return the named recipes by group and name, both in alphabetical order."""
    made = catalogue()
    return {
        group: {name: make for name, make in sorted(made.items()) if about(make).group == group}
        for group in sorted({about(make).group for make in made.values()})
    }


def image(name: str, to_docs: str, width: int) -> str:
    """Return a recipe's image, so many pixels wide, or that there is none; `to_docs` leads from the page to docs/."""
    if not (Path(__file__).parent / "gallery" / f"{name}.png").is_file():
        return NO_IMAGE
    return f'<img src="{to_docs}gallery/{name}.png" width="{width}" alt="{name}">'


def field_table(kind: type) -> str:
    """Return the fields of a dataclass, with their defaults, from the `Attributes` of its docstring."""
    listed = re.findall(r"^    (\w+): (.+(?:\n {5,}.+)*)", inspect.getdoc(kind) or "", re.MULTILINE)
    text = {name: prose(" ".join(words.split())) for name, words in listed}
    rows = [(code(name), code(value) if value else "", text[name]) for name, value in defaults(kind).items()]
    return table(("field", "default", "what it is"), rows)


def reference(room: str) -> str:
    """Return directives that document every public module of a room."""
    found = sorted(set(homes(importlib.import_module(f"zerosum.{room}")).values()))
    directives = [f".. automodule:: {name}\n   :members:\n   :special-members: __call__\n" for name in found]
    return "```{eval-rst}\n" + "\n".join(directives) + "```"


def equation(loss: Callable[..., object]) -> str:
    """Return the equation at the start of a loss's docstring, or its first sentence."""
    text = summary(loss).partition(", a scalar")[0]
    return code(text) if "[" in text or "^" in text else prose(text)


def code(text: str) -> str:
    """Return text as code in a table cell."""
    return "`" + text.replace("|", r"\|") + "`"


def prose(text: str) -> str:
    """Return a docstring's text for a table cell: arXiv numbers become links, Markdown characters are escaped."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]
    text = "".join(parts).replace("|", r"\|")
    return re.sub(r"arXiv (\d{4}\.\d{4,5})", r"[arXiv \1](https://arxiv.org/abs/\1)", text)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, (":---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
