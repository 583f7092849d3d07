"""The manifest of a packed set: a JSON file that determines the name and size of every other file."""

import json
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FORMAT = "zerosum packed 1"
MANIFEST, UNFINISHED = "packed.json", "packing.jsonl"
LABELS, CONDITIONS, HELD_OUT = "labels.bin", "conditions.bin", "held_out.bin"
_KINDS = {"uint8": 1, "float32": 4, "float64": 8, "int64": 8}  # bytes per number
_PAIRED = {"Image": "uint8", "Text": "int64"}  # kinds of conditions with files as large as those of samples
_LABEL_BYTES, _MOST_LENGTH, _MOST_FILES, _MOST_MANIFEST = 8, 1 << 16, 1_000, 64 << 20


@dataclass(frozen=True)
class Pairs:
    """The layout of conditions that are images or captions.

    Attributes:
        kind: Image or Text.
        facts: of the condition, as in a generator file.
        shape: shape of the condition of a sample.
    """

    kind: str
    facts: Mapping[str, Any]
    shape: tuple[int, ...]

    @property
    def dtype(self) -> str:
        """The type of the numbers."""
        return _PAIRED[self.kind]

    @property
    def bytes(self) -> int:
        """The bytes of a condition."""
        return math.prod(self.shape) * _KINDS[self.dtype]


@dataclass(frozen=True)
class Plan:
    """The layout of a packed set. It determines the names and sizes of all files, which are verified against it.

    Attributes:
        name: name of the data.
        count: number of samples.
        shape: shape of a sample: (C, H, W) for images, (d,) for points.
        kind: uint8 for images, float32 or float64 for points.
        rows: samples in each file of samples; the last file has the rest.
        classes: class names; empty without labels.
        entries: names of the conditions' components; empty without conditions.
        precision: dtype of conditions, float32 or float64.
        notes: warnings for the user.
        content: the fingerprint of the original data.
        pairs: conditions that are images or captions; None for other data.
    """

    name: str
    count: int
    shape: tuple[int, ...]
    kind: str
    rows: int
    classes: tuple[str, ...]
    entries: tuple[str, ...]
    precision: str
    notes: tuple[str, ...]
    content: str
    pairs: Pairs | None = None

    @property
    def sample_bytes(self) -> int:
        """The bytes of a sample."""
        return math.prod(self.shape) * _KINDS[self.kind]

    @property
    def shards(self) -> dict[str, range]:
        """The files of samples, each with its range of indices."""
        starts = range(0, self.count, self.rows)
        return {f"samples-{i:05}.bin": range(at, min(at + self.rows, self.count)) for i, at in enumerate(starts)}

    @property
    def shards_of_pairs(self) -> dict[str, range]:
        """The files of conditions that are images or captions, each with its range of indices."""
        if self.pairs is None:
            return {}
        return {name.replace("samples", "conditions"): indices for name, indices in self.shards.items()}

    @property
    def sizes(self) -> dict[str, int]:
        """The bytes of every file."""
        sizes = {name: len(indices) * self.sample_bytes for name, indices in self.shards.items()}
        sizes |= {LABELS: self.count * _LABEL_BYTES} if self.classes else {}
        if self.pairs is not None:
            sizes |= {name: len(indices) * self.pairs.bytes for name, indices in self.shards_of_pairs.items()}
            sizes |= {HELD_OUT: self.count}
        entries = len(self.entries) * _KINDS[self.precision]
        return sizes | ({CONDITIONS: self.count * entries} if self.entries else {})

    def facts(self) -> dict[str, Any]:
        """All fields as JSON-compatible values."""
        fields = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        pairs = None if self.pairs is None else {**asdict(self.pairs), "shape": list(self.pairs.shape)}
        return {"format": FORMAT, **fields, "pairs": pairs}


def read_manifest(folder: Path) -> tuple[Plan, dict[str, str]]:
    """The layout of a packed set and the SHA-256 of each file, after checking that every file exists with its size.

    Raises `ValueError` when the folder is not a packed set, or an incomplete, damaged or manipulated one.
    """
    path = folder / MANIFEST
    if not path.exists() and (folder / UNFINISHED).exists():
        raise ValueError(
            f"{folder} is incomplete, as packing was interrupted: run the same `zerosum data pack` to finish it"
        )
    try:
        if _size_of(path) > _MOST_MANIFEST:
            raise ValueError(f"it is larger than {_MOST_MANIFEST >> 20} MiB")
        facts = json.loads(path.read_bytes())
        plan, hashes = plan_of(facts), facts["sha256"]
        if not isinstance(hashes, dict) or {name: str(sha) for name, sha in hashes.items()} != hashes:
            raise ValueError("its checksums are not strings")
        if hashes.keys() != plan.sizes.keys():
            raise ValueError("its list of files does not match its layout")
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise ValueError(f"{folder} is not a packed set, as its {MANIFEST} cannot be used: {error}") from error
    for name, size in plan.sizes.items():
        check_size(folder / name, size)
    return plan, hashes


def plan_of(facts: Any) -> Plan:
    """The inverse of `Plan.facts`; raises `ValueError` or `KeyError` for anything else."""
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ValueError(f"it is not of the format {FORMAT!r}")
    words: dict[str, Any] = {name: facts[name] for name in ("name", "kind", "precision", "content")}
    numbers: dict[str, Any] = {name: facts[name] for name in ("count", "rows")}
    lists: dict[str, Any] = {name: facts[name] for name in ("classes", "entries", "notes")}
    shape = facts["shape"]
    if not all(isinstance(word, str) for word in words.values()):
        raise ValueError("a name in it is not a string")
    if not all(isinstance(part, list) and all(isinstance(one, str) for one in part) for part in lists.values()):
        raise ValueError("its classes, entries or notes are not lists of strings")
    shape = _shape(shape)
    if not all(type(n) is int and 1 <= n < 1 << 48 for n in numbers.values()):
        raise ValueError("its counts should be integers of at least 1")
    fits = (words["kind"], len(shape)) in (("uint8", 3), ("float32", 1), ("float64", 1))
    if not fits or words["precision"] not in _KINDS:
        raise ValueError("its samples should be uint8 images (C, H, W) or float32 or float64 points (d,)")
    if numbers["count"] > _MOST_FILES * numbers["rows"]:
        raise ValueError(f"it declares more than {_MOST_FILES:,} files")
    tuples: dict[str, Any] = {name: tuple(part) for name, part in lists.items()}
    return Plan(shape=shape, **words, **numbers, **tuples, pairs=_pairs(facts.get("pairs")))


def _pairs(facts: Any) -> Pairs | None:
    if facts is None:
        return None
    if not isinstance(facts, dict) or facts.get("kind") not in _PAIRED or not isinstance(facts.get("facts"), dict):
        raise ValueError(f"its pairs should be of {' or '.join(_PAIRED)}, with its facts; found {facts!r:.80}")
    return Pairs(facts["kind"], facts["facts"], _shape(facts["shape"]))


def _shape(shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, list) or not all(type(n) is int and 1 <= n <= _MOST_LENGTH for n in shape):
        raise ValueError(f"its shape should be integers from 1 to {_MOST_LENGTH}, but is {shape!r:.80}")
    return tuple(shape)


def manifest(plan: Plan, hashes: Mapping[str, str]) -> bytes:
    """The manifest as JSON."""
    return json.dumps({**plan.facts(), "sha256": dict(hashes)}, indent=1).encode()


def check_size(path: Path, size: int) -> None:
    """Raise `ValueError` unless a file exists, is not a link, and has its size."""
    try:
        found = _size_of(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}): pack the data again") from error
    if found != size:
        raise ValueError(f"{path} should have {size:,} bytes, but has {found:,}: pack the data again")


def _size_of(path: Path) -> int:
    """The size of a regular file; links, pipes and folders are refused."""
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is a link or not a regular file: a packed set has only regular files")
    return status.st_size
