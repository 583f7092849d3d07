"""Moments of a side in a file, with what a protocol must know of them."""

__all__ = ["StoredMoments", "load_moments", "save_moments"]

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors

from zerosum.metrics.moments import Moments, moments_facts
from zerosum.runs.generator import FORMAT as GENERATOR


@dataclass(frozen=True, eq=False)
class StoredMoments:
    """The moments of a side that was looked at before.

    Attributes:
        moments: of its features.
        features: the facts of the extractor that made them.
        content: sha256 of the set of samples.
        shape: of one sample.
    """

    moments: Moments
    features: Mapping[str, str]
    content: str
    shape: tuple[int, ...]


def save_moments(path: Path, stored: StoredMoments) -> None:
    """Write moments that `load_moments` reads."""
    facts = {"features": dict(stored.features), "shape": list(stored.shape)}
    path.parent.mkdir(parents=True, exist_ok=True)
    stored.moments.save(path, {"evaluation": json.dumps(facts, sort_keys=True), "content": stored.content})


def load_moments(path: Path) -> StoredMoments:
    """Read what `save_moments` wrote; raises `ValueError` for anything else."""
    told = moments_facts(path)
    if "evaluation" not in told or "content" not in told:
        raise ValueError(f"{path} does not tell what its moments are of: make them with `zerosum evaluate REAL --out`")
    facts: dict[str, Any] = json.loads(told["evaluation"])
    return StoredMoments(Moments.load(path), facts["features"], told["content"], tuple(facts["shape"]))


def is_generator(path: Path) -> bool:
    """Whether a safetensors file says that it is a generator."""
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get("zerosum", "{}"))
    except (OSError, ValueError, safetensors.SafetensorError):
        return False
    return isinstance(facts, dict) and facts.get("format") == GENERATOR
