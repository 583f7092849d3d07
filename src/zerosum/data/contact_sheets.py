"""A data set at a glance, as one picture."""

from io import BytesIO

import torch
from PIL import Image
from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.plots.grids import grid

_MOST_ROWS = 16
_MOST_POINTS = 5_000


def contact_sheet(dataset: Dataset, n: int = 64) -> Image.Image:
    """Show a data set at a glance: some n images, or up to 5,000 points.

    Images of 2 to 16 classes, each of which has some, stand in a row for each class; others are taken evenly
    from the whole set. Points on the line are shown as a histogram, others by their first two coordinates,
    coloured by class. Latents are shown as the pictures that they stand for.
    """
    dataset = dataset.displayed
    if not dataset.is_image:
        return _plot(dataset)
    rows = _rows(dataset, n)
    index = torch.cat(rows) if rows else _evenly(torch.arange(dataset.count), n)
    images = dataset.read(index).permute(0, 2, 3, 1).numpy()
    return grid(images, columns=len(rows[0]) if rows else None, row_labels=dataset.classes if rows else ())


def _rows(dataset: Dataset, n: int) -> list[Tensor]:
    """Return the indices of a row of samples for each class; no rows where there are no fitting classes."""
    if dataset.labels is None or not 2 <= len(dataset.classes) <= _MOST_ROWS:
        return []
    members = [(dataset.labels == number).nonzero()[:, 0] for number in range(len(dataset.classes))]
    columns = min(max(1, n // len(members)), *(len(own) for own in members))
    return [_evenly(own, columns) for own in members] if columns else []


def _evenly(index: Tensor, n: int) -> Tensor:
    """Return n of the indices, or all if there are fewer, evenly spread over them."""
    n = min(n, len(index))
    return index[torch.arange(n) * len(index) // n]


def _plot(dataset: Dataset) -> Image.Image:
    from matplotlib.figure import Figure

    index = _evenly(torch.arange(dataset.count), _MOST_POINTS)
    x = dataset.read(index).numpy()
    figure = Figure(figsize=(5, 5), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.set_title(f"{dataset.name}: {len(index):,} of {dataset.count:,} points")
    if dataset.shape[0] == 1:
        axes.hist(x[:, 0], bins=100)
        axes.set(xlabel="x", ylabel="points")
    else:
        colour = None if dataset.labels is None else dataset.labels[index].numpy()
        axes.scatter(x[:, 0], x[:, 1], s=3, c=colour, cmap=None if colour is None else "turbo")
        axes.set_aspect("equal", adjustable="datalim")
        axes.set(xlabel="first coordinate", ylabel="second coordinate")
    file = BytesIO()
    figure.savefig(file, format="png")
    with Image.open(file) as picture:
        return picture.convert("RGB")
