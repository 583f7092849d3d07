"""The recipe of a command line: by name, file or run folder, with the options that change it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerosum.cli._use import known

if TYPE_CHECKING:
    from zerosum.data.dataset import Source
    from zerosum.recipes.reader import Known
    from zerosum.recipes.recipe import Recipe

_LIBRARY = Path(__file__).parents[1] / "recipes" / "library"


def completed(incomplete: str) -> list[str]:
    """What may follow on the command line as RECIPE: names of recipes and run folders. Loads no torch."""
    names = [name for name in (*recipe_names(), "auto") if name.startswith(incomplete)]
    start, _, rest = incomplete.rpartition("/")
    folder = Path(start or ".") if "/" in incomplete else Path("runs")
    runs = (path.parent for path in folder.glob("*/recipe.txt"))
    return sorted(names) + sorted(str(run) for run in runs if str(run).startswith(incomplete) or run.name == rest)


def recipe_names() -> Iterator[str]:
    """The names of all recipes, read from the text of their files."""
    for path in sorted(_LIBRARY.glob("[!_]*.py")):
        for name in re.findall(r"^def ([a-z]\w*)\(\) -> Recipe:$", path.read_text(encoding="utf-8"), re.M):
            yield name.replace("_", "-")


@dataclass(frozen=True)
class RecipeOptions:
    """The options that change a recipe."""

    data: Annotated[
        str | None,
        typer.Option(help="Training data: folder or zip of images, .npy/.npz file, or a source like 'Ring()'."),
    ] = None
    images: Annotated[
        int | None, typer.Option(help="Training length, in real samples; extends the run of a run folder.")
    ] = None
    batch: Annotated[int | None, typer.Option(help="Batch size.")] = None
    lr: Annotated[float | None, typer.Option(help="Learning rate of both networks.")] = None
    size: Annotated[int | None, typer.Option(help="Height and width that images are resized to.")] = None
    seed: Annotated[int | None, typer.Option(help="Random seed.")] = None
    precision: Annotated[str | None, typer.Option(help="auto, float32 or bfloat16.")] = None
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a field of the recipe, like objective=hinge. Repeatable."),
    ] = None
    evaluate: Annotated[
        str | None,
        typer.Option(metavar="METRICS", help="Metrics to compute during training; saves the best generator."),
    ] = None
    features: Annotated[str | None, typer.Option(help="Feature extractor of --evaluate.")] = None

    @property
    def sets_length(self) -> bool:
        """Whether they set the training length, in images."""
        keys = [setting.partition("=")[0].strip().lower() for setting in self.settings or ()]
        return self.images is not None or "images" in keys

    def applied(self, recipe: "Recipe", own: "Known") -> "Recipe":
        """The recipe with these options, the settings last; raises `ValueError` for values that do not fit.

        `own` are the user's classes by name.
        """
        from dataclasses import replace

        from zerosum.data.held_out import around
        from zerosum.recipes.settings import with_setting

        changed: dict[str, Any] = {"images": self.images, "batch": self.batch, "seed": self.seed}
        changed["precision"] = self.precision
        changed["data"] = None if self.data is None else around(recipe.data, data_source(self.data))
        recipe = replace(recipe, **{name: value for name, value in changed.items() if value is not None})
        if self.size is not None:
            recipe = replace(recipe, data=sized(recipe.data, self.size))
        if self.lr is not None:
            rates = {o: _with_field(getattr(recipe, o), o, "--lr", "lr", self.lr) for o in ("G_opt", "D_opt")}
            recipe = replace(recipe, **rates)
        recipe = self._evaluated(recipe, own)
        for setting in self.settings or ():
            recipe = with_setting(recipe, setting, own)
        return recipe

    def _evaluated(self, recipe: "Recipe", own: "Known") -> "Recipe":
        from dataclasses import replace

        from zerosum.recipes.evaluation import Evaluation

        plan = recipe.evaluation
        if self.features is not None and self.evaluate is None and plan is None:
            raise ValueError("--features are those of --evaluate: name the metrics as well, like --evaluate fid,kid")
        plan = plan or Evaluation()
        changes: dict[str, Any] = {}
        if self.evaluate is not None:
            changes["metrics"] = tuple(name.strip() for name in self.evaluate.split(","))
        if self.features is not None:
            changes["features"] = self.features
        if not changes:
            return recipe
        return replace(recipe, evaluation=replace(plan, **changes, known={**plan.known, **own}))


_UNCHANGED = RecipeOptions()


def chosen(text: str, options: RecipeOptions = _UNCHANGED) -> tuple["Recipe", Path | None]:
    """The recipe by name, file or run folder, with the options, and the run folder if it was given.

    Raises `ValueError` where there is none.
    """
    from zerosum._disk import read_text
    from zerosum._paths import user_path
    from zerosum.recipes.named_recipes import catalogue, named
    from zerosum.recipes.reader import read_recipe
    from zerosum.recipes.using import is_file, recipe_in
    from zerosum.runs.files import MOST_TEXT, RECIPE

    path = user_path(text)
    if is_file(text):
        own = known([text])
        return options.applied(recipe_in(text), own), None
    own = known()
    if text not in catalogue() and (path / RECIPE).is_file():
        return options.applied(read_recipe(read_text(path / RECIPE, MOST_TEXT), own), own), path
    if not text.endswith(".txt") and "/" not in text:
        return options.applied(named(text), own), None
    if not path.is_file():
        raise ValueError(f"there is no recipe file and no run folder {path}")
    return options.applied(read_recipe(read_text(path, MOST_TEXT), own), own), None


def data_source(text: str) -> "Source":
    """The source for a constructor, as `Ring(modes=5)`, or a path."""
    from zerosum._paths import is_constructor
    from zerosum.data.resolve import source
    from zerosum.recipes.reader import read

    if is_constructor(text):
        return source(read(text, known()))
    return source(text)


def sized(data: "Source", size: int) -> "Source":
    """The data at a size; where conditions are derived from a source, the source at that size."""
    from zerosum.data.held_out import Deriving, around

    if isinstance(data, Deriving):
        return around(data, sized(data.source, size))
    resized: Source = _with_field(data, "data", "--size", "size", size)
    return resized


def _with_field(part: Any, where: str, option: str, name: str, value: Any) -> Any:
    from dataclasses import replace

    from zerosum.recipes.fit import fitted

    if not is_dataclass(part) or isinstance(part, type) or name not in [f.name for f in fields(part)]:
        raise ValueError(f"{option} sets {where}.{name}, and {type(part).__name__} has no {name}: leave it out")
    return replace(part, **{name: fitted(type(part), name, value)})
