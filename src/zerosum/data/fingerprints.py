"""Fingerprints: detect whether a data set has changed since a run began."""

import hashlib
import json
from collections.abc import Collection

from zerosum.data.dataset import Dataset


def fingerprint(dataset: Dataset, without: Collection[str] = ()) -> str:
    """A hash of 64 hex digits of a data set: its samples, their order and their conditions.

    Arrays and small folders are hashed by all of their bytes, zips by the checksums in them, packed sets by those in
    their manifest, folders above 256 MiB by the name and size of each file and 4 KiB from its middle, and synthetic
    sets by the repr of their source, as the last digits of samples may differ between machines. No image is decoded.
    For a map-style dataset of torch only the count, shape, labels and conditions are hashed. Of the files `without`,
    only the names count.
    """
    digest = hashlib.sha256(json.dumps([dataset.count, dataset.shape, dataset.classes]).encode())
    parts = [] if dataset.content is None else [dataset.content()]
    if without and dataset.content_without is not None:
        parts = [dataset.content_without(without)]
    if dataset.conditions is not None:
        kind = dataset.conditions.kind
        parts += ["labels" if kind.classes else "conditions", *kind.components, dataset.conditions.content(without)]
    for part in parts:
        digest.update(hashlib.sha256(part.encode(errors="surrogateescape")).digest())
    return digest.hexdigest()
