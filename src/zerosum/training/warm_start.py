"""Where a run came from: the weights of another run, and its data."""

__all__ = ()

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerosum.data.dataset import Dataset
from zerosum.data.fingerprints import fingerprint
from zerosum.game.trainable import TrainableGame
from zerosum.runs.checkpoint import MANIFEST, load_checkpoint, newest_checkpoint
from zerosum.training.state import count

DATA = "data"  # the name, among a checkpoint's numbers, of the fingerprint of the run's data
WARM_START = "from"  # the name, among a checkpoint's numbers, of where the run's first weights came from


@dataclass(frozen=True)
class WarmStart:
    """What was taken: `facts` to remember of it with the run, and a sentence."""

    facts: Mapping[str, Any]
    sentence: str


def load_initial_weights(game: TrainableGame, start_from: str | Path) -> WarmStart:
    """Give a game at its start the weights of another run: of its networks and its generators.

    Optimisers, what objectives and terms remember, and the clock start anew: their numbers belong to the old losses and
    the old schedule.

    Args:
        game: the game, freshly built.
        origin: a run folder, of which the newest checkpoint serves, or a checkpoint's own folder.

    Raises:
        ValueError: where there is no checkpoint, or its networks are not of the same shapes.
    """
    path = Path(start_from)
    try:
        own = (path, load_checkpoint(path), list[str]()) if (path / MANIFEST).is_file() else None
        found = own or newest_checkpoint(path)
        if found is None:
            raise ValueError("it is no run folder, or one without a checkpoint")
        name, checkpoint, troubles = found
        images = count(checkpoint.numbers, "images")
        game.load_weights(checkpoint.groups, images)
    except (ValueError, OSError) as error:
        raise ValueError(f"nothing can start from {path}: {error}") from None
    facts = {"run": str(path.resolve()), "images": images}
    names = ", ".join([*game.networks, *game.generators])
    taken = f"weights of {names} from {path}, after {images:,} images ({name.name}); optimisers start afresh"
    return WarmStart(facts, "; ".join([*troubles, taken]))


def check_warm_start(run: Path, numbers: Mapping[str, Any], start_from: str | Path | None) -> None:
    """Raise `ValueError` where a run that goes on was not started from where the command says."""
    if start_from is None:
        return
    before = numbers.get(WARM_START)
    if before is None or before.get("run") != str(Path(start_from).resolve()):
        told = "no other run" if before is None else before.get("run")
        raise ValueError(
            f"{run} holds a run that started from {told}, not from {start_from}: name another folder with --out"
        )


def same_data(run: Path, before: str | None, dataset: Dataset) -> str:
    """The fingerprint of a run's data; raises `ValueError` where it is another one than the run had before, if any."""
    now = fingerprint(dataset)
    if before is not None and before != now:
        raise ValueError(
            f"{dataset.name} is not what {run} was trained on before: its samples, their order or their labels have "
            f"changed. Bring the former data back, or start a new run from its weights with --from {run} --out"
        )
    return now
