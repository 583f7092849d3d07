"""Whether all processes of a run were given the same one."""

__all__ = ()

from dataclasses import fields

from zerosum.data.dataset import Dataset
from zerosum.data.fingerprints import fingerprint
from zerosum.game.distributed import ranks
from zerosum.recipes.recipe import Recipe, flat
from zerosum.training.options import RunOptions
from zerosum.training.ranks import RankGroup

_OPTIONS = ("minutes", "on_nonfinite", "doctor", "signals")  # which change what processes exchange


def check_same_run(group: RankGroup, recipe: Recipe, dataset: Dataset, precision: str, options: RunOptions) -> None:
    """Raise `ValueError` where the processes were given different runs: they would wait for each other forever."""
    if ranks() == 1:
        return
    own = {f.name: flat(getattr(recipe, f.name)) for f in fields(Recipe) if f.name != "data"}
    own |= {"data": fingerprint(dataset), "precision": precision, "images": f"{recipe.images:,}"}
    own |= {name: str(getattr(options, name)) for name in _OPTIONS}
    first, *others = group.gathered(own)
    for number, other in enumerate(others, 1):
        for name in (name for name in first if other.get(name) != first[name]):
            raise ValueError(
                f"the processes of a run train one recipe on the same data; {name} is {first[name]!s:.80} in "
                f"process 0 and {other.get(name)!s:.80} in process {number}: start all with the same command"
            )
