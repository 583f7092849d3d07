"""Moments of a set of samples in a file, with the facts that the protocol needs."""

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
    """Saved moments of a set of samples.

    Attributes:
        moments: of the features.
        features: facts of the feature extractor.
        content: sha256 of the set of samples.
        shape: of one sample.
    """

    moments: Moments
    features: Mapping[str, str]
    content: str
    shape: tuple[int, ...]


def save_moments(path: Path, stored: StoredMoments) -> None:
    """Save moments for `load_moments`."""
    facts = {"features": dict(stored.features), "shape": list(stored.shape)}
    path.parent.mkdir(parents=True, exist_ok=True)
    stored.moments.save(path, {"evaluation": json.dumps(facts, sort_keys=True), "content": stored.content})


def load_moments(path: Path) -> StoredMoments:
    """Load moments saved by `save_moments`; raises `ValueError` for any other file."""
    metadata = moments_facts(path)
    if "evaluation" not in metadata or "content" not in metadata:
        raise ValueError(
            f"{path} does not record the data of its moments: make it with `zerosum evaluate REAL --out FILE`"
        )
    facts: dict[str, Any] = json.loads(metadata["evaluation"])
    return StoredMoments(Moments.load(path), facts["features"], metadata["content"], tuple(facts["shape"]))


def is_generator(path: Path) -> bool:
    """Whether a safetensors file contains a generator."""
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get("zerosum", "{}"))
    except (OSError, ValueError, safetensors.SafetensorError):
        return False
    return isinstance(facts, dict) and facts.get("format") == GENERATOR
