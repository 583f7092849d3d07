"""The section on the training data: counts, notes, and real images."""

import numpy as np
import torch
from numpy.typing import NDArray

from zerosum._arrays import evenly
from zerosum.data.dataset import Dataset
from zerosum.report._html import Section, joined, prose, table

_CLASSES = 20  # listed, at most


def data_section(dataset: Dataset, source: str) -> Section:
    """Return counts, shape and classes of a data set, and its notes."""
    shown = dataset.displayed
    size = f"{shown.shape[2]} x {shown.shape[1]} pixels, {shown.shape[0]} channels" if shown.is_image else ""
    rows = {
        "source": source,
        "images" if shown.is_image else "points": f"{len(dataset):,}",
        "size": size or f"{dataset.shape[0]} dimensions",
    }
    if dataset.labels is not None:
        counts = dataset.labels.bincount(minlength=len(dataset.classes)).tolist()
        listed = [f"{name} ({count:,})" for name, count in zip(dataset.classes, counts, strict=True)][:_CLASSES]
        more = len(counts) - _CLASSES
        rows["classes"] = ", ".join(listed) + (f" and {more} more" if more > 0 else "")
    notes = joined(prose(note) for note in (*dataset.notes, *(() if shown is dataset else shown.notes)))
    return Section("data", "Data", table(rows) + ("\n" + notes if notes else ""))


def real_images(dataset: Dataset, count: int, classes: int) -> NDArray[np.uint8]:
    """Return real images `(n, H, W, C)`, evenly spaced in the data, with classes cyclically as samples have them."""
    shown, labels = dataset.displayed, dataset.labels
    if labels is None or not classes:
        index = evenly(len(shown), count)
    else:
        places = [(labels == k).nonzero()[:, 0] for k in range(classes)]
        wanted = [(places[n % classes], n // classes) for n in range(count)]
        index = torch.stack([place[nth % len(place)] for place, nth in wanted if len(place)])
    found: NDArray[np.uint8] = shown.read(index).permute(0, 2, 3, 1).contiguous().numpy()
    return found
