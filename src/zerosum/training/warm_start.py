"""Warm start from another run, and the check of a resumed run's origin."""

__all__ = ()

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from zerosum._disk import read_foreign
from zerosum._paths import user_path
from zerosum.game.trainable import TrainableGame
from zerosum.runs.checkpoint import MANIFEST, checkpoint_path, load_checkpoint, newest_checkpoint
from zerosum.runs.plain_json import MOST
from zerosum.training.state import count

WARM_START = "from"  # the name, among a checkpoint's numbers, of where the run's first weights came from


@dataclass(frozen=True)
class WarmStart:
    """The source of a run's first weights: `facts` saved with the run, and a message."""

    facts: Mapping[str, Any]
    sentence: str


def load_initial_weights(game: TrainableGame, start_from: str | Path) -> WarmStart:
    """Load the weights of another run into a new game: of its networks and its generators.

    Optimisers, the state of objectives and terms, and the clock are not loaded: they belong to the old losses and
    schedule.

    Args:
        game: the new game.
        start_from: a run folder, whose newest checkpoint is used, or a checkpoint folder.

    Raises:
        ValueError: where there is no checkpoint, or its networks are not of the same shapes.
    """
    path = user_path(start_from)
    try:
        own = (path, load_checkpoint(path), list[str]()) if (path / MANIFEST).is_file() else None
        found = own or newest_checkpoint(path)
        if found is None:
            raise ValueError("it is no run folder, or one without a checkpoint")
        name, checkpoint, troubles = found
        images = count(checkpoint.numbers, "images")
        game.load_weights(checkpoint.groups, images)
    except (ValueError, OSError) as error:
        raise ValueError(f"cannot start from {path}: {error}") from None
    facts = {"run": str(path.resolve()), "images": images, "checkpoint": _identity(name)}
    names = ", ".join([*game.networks, *game.generators])
    loaded = f"weights of {names} from {path}, after {images:,} images ({name.name}); optimisers are new"
    return WarmStart(facts, "; ".join([*troubles, loaded]))


def _identity(checkpoint: Path) -> str:
    """The identity of a checkpoint: the hash of its manifest, which holds those of its files."""
    return sha256(read_foreign(checkpoint / MANIFEST, MOST)).hexdigest()


def _was_moved(before: Mapping[str, Any], path: Path) -> bool:
    """Whether a run folder has the checkpoint that was taken from another place, or is this checkpoint."""
    images = before.get("images")
    places = [path, checkpoint_path(path, images)] if isinstance(images, int) else []
    known = [place for place in places if (place / MANIFEST).is_file()]
    return any(_identity(place) == before.get("checkpoint") for place in known)


def check_warm_start(run: Path, numbers: Mapping[str, Any], start_from: str | Path | None) -> None:
    """Raise `ValueError` where a resumed run was not started from the given run."""
    if start_from is None:
        return
    before = numbers.get(WARM_START)
    if before is None or not (
        before.get("run") == str(user_path(start_from).resolve()) or _was_moved(before, user_path(start_from))
    ):
        source = "no other run" if before is None else before.get("run")
        raise ValueError(
            f"{run} has a run that started from {source}, not from {start_from}: name another folder with --out"
        )
