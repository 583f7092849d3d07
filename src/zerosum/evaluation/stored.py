"""Moments of a set of samples in a file, with the facts that the protocol needs."""

__all__ = ["StoredMoments", "load_moments", "save_moments"]

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zerosum._foreign import read_tensors
from zerosum._json import read_json
from zerosum.metrics.moments import Moments, moments_facts
from zerosum.runs.generator import FORMAT as GENERATOR
from zerosum.runs.plain_json import is_count


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
    facts = read_json(f"{path}, the facts of moments,", metadata["evaluation"])
    features, shape = (facts.get(name) if isinstance(facts, dict) else None for name in ("features", "shape"))
    if not isinstance(features, dict) or not all(isinstance(fact, str) for fact in features.values()):
        raise ValueError(f"{path} should have the facts of its features, texts by name; found {features!a:.80}")
    if not isinstance(shape, list) or not all(map(is_count, shape)):
        raise ValueError(f"{path} should have the shape of a sample, integers; found {shape!a:.80}")
    return StoredMoments(Moments.load(path), features, metadata["content"], tuple(shape))


def is_generator(path: Path) -> bool:
    """Whether a safetensors file contains a generator."""
    try:
        facts = read_json(path.name, read_tensors(path)[1].get("zerosum", "{}"))
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and facts.get("format") == GENERATOR
