"""Contact sheets: an overview of a data set in one image."""

from io import BytesIO

import torch
from PIL import Image
from torch import Tensor

from zerosum._arrays import evenly
from zerosum.data.dataset import Dataset
from zerosum.plots.grids import grid

_MOST_ROWS = 16
_MOST_POINTS = 5_000


def contact_sheet(dataset: Dataset, n: int = 64) -> Image.Image:
    """Return an overview of a data set: up to n images, or up to 5,000 points.

    With 2 to 16 non-empty classes, there is a row of images for each class; otherwise images are spaced evenly over the
    whole set. One-dimensional points are drawn as a histogram, others as a scatter plot of their first two coordinates,
    coloured by class. For latents, the original images are used.
    """
    dataset = dataset.displayed
    if not dataset.is_image:
        return _plot(dataset)
    rows = _rows(dataset, n)
    index = torch.cat(rows) if rows else evenly(dataset.count, n)
    images = dataset.read(index).permute(0, 2, 3, 1).numpy()
    return grid(images, columns=len(rows[0]) if rows else None, row_labels=dataset.classes if rows else ())


def _rows(dataset: Dataset, n: int) -> list[Tensor]:
    """Return the sample indices of a row for each class; empty without 2 to 16 classes."""
    if dataset.labels is None or not 2 <= len(dataset.classes) <= _MOST_ROWS:
        return []
    members = [(dataset.labels == number).nonzero()[:, 0] for number in range(len(dataset.classes))]
    columns = min(max(1, n // len(members)), *(len(own) for own in members))
    return [own[evenly(len(own), columns)] for own in members] if columns else []


def _plot(dataset: Dataset) -> Image.Image:
    from matplotlib.figure import Figure

    index = evenly(dataset.count, _MOST_POINTS)
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
    with Image.open(file) as image:
        return image.convert("RGB")
