"""Telling whether a data set is still the one that a run began with."""

import hashlib
import json

from zerosum.data.content import content_of
from zerosum.data.dataset import Dataset


def fingerprint(dataset: Dataset) -> str:
    """A text of 64 hex digits that is another one where the data are others: samples, their order, their conditions.

    Arrays and small folders are told by all of their bytes, zips by the checksums in them, packed sets by those in
    their manifest, folders above 256 MiB by the name and size of each file and 4 KiB from its middle, and made-up sets
    by the source that makes them, as their last digits may differ from machine to machine. No image is decoded. Of a
    map-style dataset of torch nothing but its count, shape, labels and conditions can be told.
    """
    digest = hashlib.sha256(json.dumps([dataset.count, dataset.shape, dataset.classes]).encode())
    parts = [] if dataset.content is None else [dataset.content()]
    if dataset.conditions is not None:
        kind, values = dataset.conditions.kind, dataset.conditions.values
        parts += ["labels" if kind.classes else "conditions", *kind.components, content_of(values)]
    for part in parts:
        digest.update(hashlib.sha256(part.encode(errors="surrogateescape")).digest())
    return digest.hexdigest()
