"""What a packed set says of itself: a JSON file from which the name and size of every other file follow."""

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
LABELS, CONDITIONS = "labels.bin", "conditions.bin"
_KINDS = {"uint8": 1, "float32": 4, "float64": 8}  # bytes a number
_LABEL_BYTES, _MOST_SIDE, _MOST_FILES, _MOST_MANIFEST = 8, 1 << 16, 1_000, 64 << 20


@dataclass(frozen=True)
class Plan:
    """What a packed set holds: from it follow the names and sizes of its files, so that none need be believed.

    Attributes:
        name: what the data are called.
        count: how many samples.
        shape: of one: (C, H, W) for images, (d,) for points.
        kind: uint8 for images, float32 for points.
        rows: samples in each file of samples but the last, which holds the rest.
        classes: names of the classes; empty where there are no labels.
        entries: names of the conditions' entries; empty where there are none.
        precision: of conditions, float32 or float64.
        notes: what the user should read.
        content: the fingerprint of the data that were packed.
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

    @property
    def sample_bytes(self) -> int:
        """What a sample takes."""
        return math.prod(self.shape) * _KINDS[self.kind]

    @property
    def shards(self) -> dict[str, range]:
        """The files of samples, each with the indices that it holds."""
        starts = range(0, self.count, self.rows)
        return {f"samples-{i:05}.bin": range(at, min(at + self.rows, self.count)) for i, at in enumerate(starts)}

    @property
    def sizes(self) -> dict[str, int]:
        """The bytes of every file."""
        sizes = {name: len(held) * self.sample_bytes for name, held in self.shards.items()}
        sizes |= {LABELS: self.count * _LABEL_BYTES} if self.classes else {}
        entries = len(self.entries) * _KINDS[self.precision]
        return sizes | ({CONDITIONS: self.count * entries} if self.entries else {})

    def facts(self) -> dict[str, Any]:
        """All of it as JSON can carry it."""
        return {"format": FORMAT, **{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}}


def read_manifest(folder: Path) -> tuple[Plan, dict[str, str]]:
    """The plan of a packed set and the sha256 of each file, once every file is there and of its size.

    Raises `ValueError` where the folder holds none, or one that is not whole, damaged, or made to mislead.
    """
    path = folder / MANIFEST
    if not path.exists() and (folder / UNFINISHED).exists():
        raise ValueError(f"{folder} is not whole: packing was interrupted, and the same `zerosum data pack` goes on")
    try:
        if _size_of(path) > _MOST_MANIFEST:
            raise ValueError(f"it is larger than {_MOST_MANIFEST >> 20} MiB")
        facts = json.loads(path.read_bytes())
        plan, hashes = plan_of(facts), facts["sha256"]
        if not isinstance(hashes, dict) or {name: str(sha) for name, sha in hashes.items()} != hashes:
            raise ValueError("its checksums are no texts")
        if hashes.keys() != plan.sizes.keys():
            raise ValueError("it lists other files than it should have")
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise ValueError(f"{folder} is no packed set, as its {MANIFEST} cannot be used: {error}") from error
    for name, size in plan.sizes.items():
        check_size(folder / name, size)
    return plan, hashes


def plan_of(facts: Any) -> Plan:
    """The plan of which `Plan.facts` were told; raises `ValueError` or `KeyError` for anything else."""
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ValueError(f"it is not of the format {FORMAT!r}")
    words: dict[str, Any] = {name: facts[name] for name in ("name", "kind", "precision", "content")}
    numbers: dict[str, Any] = {name: facts[name] for name in ("count", "rows")}
    lists: dict[str, Any] = {name: facts[name] for name in ("classes", "entries", "notes")}
    shape = facts["shape"]
    if not all(isinstance(word, str) for word in words.values()):
        raise ValueError("a name in it is no text")
    if not all(isinstance(part, list) and all(isinstance(one, str) for one in part) for part in lists.values()):
        raise ValueError("its classes, entries or notes are no lists of texts")
    if not isinstance(shape, list) or not all(type(n) is int and 1 <= n <= _MOST_SIDE for n in shape):
        raise ValueError(f"a shape is of whole numbers from 1 to {_MOST_SIDE}, and it says {shape!r:.80}")
    if not all(type(n) is int and 1 <= n < 1 << 48 for n in numbers.values()):
        raise ValueError("its counts are no whole numbers of at least 1")
    if (words["kind"], len(shape)) not in (("uint8", 3), ("float32", 1)) or words["precision"] not in _KINDS:
        raise ValueError("it holds neither uint8 images (C, H, W) nor float32 points (d,)")
    if numbers["count"] > _MOST_FILES * numbers["rows"]:
        raise ValueError(f"it would be of more than {_MOST_FILES:,} files")
    tuples: dict[str, Any] = {name: tuple(part) for name, part in lists.items()}
    return Plan(shape=tuple(shape), **words, **numbers, **tuples)


def manifest(plan: Plan, hashes: Mapping[str, str]) -> bytes:
    """The manifest's text."""
    return json.dumps({**plan.facts(), "sha256": dict(hashes)}, indent=1).encode()


def check_size(path: Path, size: int) -> None:
    """Raise `ValueError` unless a file is there, is no link, and has its size."""
    try:
        found = _size_of(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}): pack it anew") from error
    if found != size:
        raise ValueError(f"{path} should have {size:,} bytes and has {found:,}: pack it anew")


def _size_of(path: Path) -> int:
    """The size of a regular file; links, pipes and folders are refused."""
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is a link or no regular file, as a packed set has none")
    return status.st_size
