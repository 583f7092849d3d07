"""Distortions of images and sets of adjustable strength, to test which of them a metric detects.

The first six are those of Heusel et al. 2017 (arXiv 1706.08500), appendix A1: noise, blur, black rectangles, swirl,
salt and pepper, and contamination with images of another set. The others are failure modes of generators: dropped
modes, repeated samples, memorised training images, and too few samples.

All are pure functions of rows, a strength in [0, 1] and a seed; strength 0 changes nothing. Distortions of images take
uint8 `(B, H, W, C)`; the distortion of an image depends only on the seed and its index, not on the other images.
Distortions of sets take rows of any kind: distorting the features equals the features of the distorted set.
"""

import hashlib
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum._arrays import Array, tensor, tensors

NOISE = 0.75  # share of noise at full strength
BLUR = 1 / 16  # standard deviation of the blur, relative to the longer side
RECTANGLES, BLACK = 5, 0.5  # how many, and their height and width relative to the image
ANGLE, RADIUS = 4.0, 0.4  # of a swirl: radians at the centre, and radius relative to the longer side
FLIPPED = 0.3  # share of pixels that are salt or pepper
FEWEST = 1 / 32  # share of samples that remains


def gaussian_noise(images: Array, strength: float, seed: int = 0) -> Tensor:
    """(1 - a) x + a n with n normal, of mean 127.5 and standard deviation 63.75, clipped; a = 0.75 strength."""
    images = tensor(images)
    _check_images(images, strength)
    share = NOISE * strength

    def distort(x: Tensor, draw: torch.Generator) -> Tensor:
        noise = (127.5 + 63.75 * torch.randn(x.shape, generator=draw)).clamp(0, 255)
        return (1 - share) * x + share * noise

    return _each(images, distort, "noise", seed)


def gaussian_blur(images: Array, strength: float, seed: int = 0) -> Tensor:  # noqa: ARG001 - all have the same signature
    """Gaussian blur with standard deviation strength / 16 of the longer side and replicated edges; ignores the seed.

    The maximum is that of Heusel et al., 4 pixels of 64.
    """
    images = tensor(images)
    _check_images(images, strength)
    std = BLUR * strength * max(images.shape[1:3])
    if not std:
        return images.clone()
    radius = math.ceil(4 * std)
    weights = torch.exp(-torch.arange(-radius, radius + 1.0).square() / (2 * std**2))
    weights = weights / weights.sum()
    return torch.cat([_blurred(block, weights, radius) for block in torch.split(images, 64)])


def black_rectangles(images: Array, strength: float, seed: int = 0) -> Tensor:
    """Five black rectangles at random places; height and width are strength / 2 of those of the image."""
    images = tensor(images)
    _check_images(images, strength)
    height, width = (round(BLACK * strength * size) for size in images.shape[1:3])

    def distort(x: Tensor, draw: torch.Generator) -> Tensor:
        x = x.clone()
        for u, v in torch.rand(RECTANGLES, 2, generator=draw).tolist():
            top, left = int(u * (len(x) - height + 1)), int(v * (x.shape[1] - width + 1))
            x[top : top + height, left : left + width] = 0
        return x

    return _each(images, distort, "rectangles", seed)


def swirl(images: Array, strength: float, seed: int = 0) -> Tensor:  # noqa: ARG001 - all have the same signature
    """Swirl: rotates each image about its centre, by an angle that decreases with the distance; ignores the seed.

    A pixel at distance r and angle t takes the value at angle t + 4 strength exp(-5 r / (ln 2 R)), with R = 0.4 of the
    longer side, by bilinear interpolation with replicated edges.
    """
    images = tensor(images)
    _check_images(images, strength)
    if not strength:
        return images.clone()
    height, width = images.shape[1:3]
    y, x = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij")
    distance = torch.hypot(x, y)
    by = ANGLE * strength * torch.exp(-5 * distance / (math.log(2) * RADIUS * max(height, width)))
    angle = torch.atan2(y, x) + by
    # Coordinates from -1 to 1 between the centres of the first and the last pixel.
    across = 2 * distance * angle.cos() / max(width - 1, 1)
    down = 2 * distance * angle.sin() / max(height - 1, 1)
    places = torch.stack([across, down], -1)
    return torch.cat([_resampled(block, places) for block in torch.split(images, 64)])


def salt_and_pepper(images: Array, strength: float, seed: int = 0) -> Tensor:
    """A share of 0.3 strength of the pixels becomes white or black with equal probability."""
    images = tensor(images)
    _check_images(images, strength)

    def distort(x: Tensor, draw: torch.Generator) -> Tensor:
        u = torch.rand(x.shape[:2], generator=draw)[..., None]
        return torch.where(u < FLIPPED * strength, torch.where(u < FLIPPED * strength / 2, 0.0, 255.0), x)

    return _each(images, distort, "salt", seed)


def contaminated(rows: Array, strength: float, seed: int = 0, *, other: Array) -> Tensor:
    """Replaces a share `strength` of the rows by rows of another set, `(M, ...)` of the same shape.

    If the other set has too few rows, they are repeated.
    """
    rows, other = tensors(rows, other)
    _check_rows(rows, strength)
    if not len(other) or other.shape[1:] != rows.shape[1:]:
        raise ValueError(
            f"the other set should have rows of the same shape {tuple(rows.shape[1:])}; found {tuple(other.shape)}"
        )
    replacement = _shuffled(len(other), "other", seed).repeat(-(-len(rows) // len(other)))[: len(rows)]
    mask = torch.zeros(len(rows), dtype=torch.bool)
    mask[_chosen(len(rows), strength, "contaminated", seed)] = True
    return _where(mask, other[replacement], rows)


def modes_dropped(rows: Array, strength: float, seed: int = 0, *, labels: Array) -> Tensor:
    """Drops a share `strength` of the classes, but never all: replaces their rows by rows of the other classes.

    `labels` are int64 `(B,)`. The order in which classes are dropped depends on the seed.
    """
    rows, labels = tensors(rows, labels)
    _check_rows(rows, strength)
    if labels.dtype != torch.int64 or labels.shape != (len(rows),):
        raise ValueError(f"labels should be int64 ({len(rows)},), the class of each row; found {tuple(labels.shape)}")
    classes: Tensor = torch.unique(labels)
    count = min(round(strength * len(classes)), len(classes) - 1)
    dropped = torch.isin(labels, classes[_shuffled(len(classes), "modes", seed)[:count]])
    stay = (~dropped).nonzero()[:, 0]
    pick = torch.randint(len(stay), (len(rows),), generator=_stream("instead", seed))
    return _where(dropped, rows[stay[pick]], rows)


def repeated(rows: Array, strength: float, seed: int = 0) -> Tensor:
    """Replaces a share `strength` of the rows, but never all, by repetitions of the others."""
    rows = tensor(rows)
    _check_rows(rows, strength)
    count = min(round(strength * len(rows)), len(rows) - 1)
    order = _shuffled(len(rows), "repeated", seed)
    gone, stay = order[:count], order[count:]
    found = rows.clone()
    found[gone] = rows[stay[torch.arange(count) % len(stay)]]
    return found


def memorised(rows: Array, strength: float, seed: int = 0, *, train: Array) -> Tensor:
    """Replaces a share `strength` of the rows by rows of the training set, `(M, ...)`, as if memorised."""
    rows, train = tensors(rows, train)
    return contaminated(rows, strength, seed, other=train)


def fewer(rows: Array, strength: float, seed: int = 0) -> Tensor:
    """Keeps a share of 32^-strength of the rows, at least two, in their order."""
    rows = tensor(rows)
    _check_rows(rows, strength)
    count = max(round(len(rows) * FEWEST**strength), min(2, len(rows)))
    return rows[_shuffled(len(rows), "fewer", seed)[:count].sort().values]


def _check_rows(rows: Tensor, strength: float) -> None:
    if not 0 <= strength <= 1:
        raise ValueError(f"strength should be between 0 (no distortion) and 1; found {strength}")
    if rows.dim() < 1 or not len(rows):
        raise ValueError(f"a distortion needs at least one row; found {tuple(rows.shape)}")


def _check_images(images: Tensor, strength: float) -> None:
    if images.dtype != torch.uint8 or images.dim() != 4:
        raise ValueError(f"images to distort should be uint8 (B, H, W, C); found {images.dtype} {tuple(images.shape)}")
    _check_rows(images, strength)


def _stream(purpose: str, seed: int, place: int = 0) -> torch.Generator:
    """A random generator that depends on all three arguments."""
    digest = hashlib.sha256(f"{purpose} {seed} {place}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def _each(images: Tensor, distort: Callable[[Tensor, torch.Generator], Tensor], purpose: str, seed: int) -> Tensor:
    """Distort images `(H, W, C)` one by one as float32, each with its own random generator."""
    distorted = (distort(x.float(), _stream(purpose, seed, place)) for place, x in enumerate(images))
    return torch.stack([x.round().clamp(0, 255).byte() for x in distorted])


def _shuffled(count: int, purpose: str, seed: int) -> Tensor:
    return torch.randperm(count, generator=_stream(purpose, seed))


def _chosen(count: int, share: float, purpose: str, seed: int) -> Tensor:
    """Indices of a share of the rows; those of a smaller share are among those of a larger one."""
    return _shuffled(count, purpose, seed)[: round(share * count)]


def _where(mask: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Rows of `first` where the mask `(B,)` is true, else of `second`."""
    return torch.where(mask.view(-1, *(1,) * (second.dim() - 1)), first, second)


def _blurred(images: Tensor, weights: Tensor, radius: int) -> Tensor:
    x = images.permute(0, 3, 1, 2).float()
    batch, channels, height, width = x.shape
    x = x.reshape(-1, 1, height, width)
    down = F.conv2d(F.pad(x, (0, 0, radius, radius), mode="replicate"), weights.view(1, 1, -1, 1))
    across = F.conv2d(F.pad(down, (radius, radius, 0, 0), mode="replicate"), weights.view(1, 1, 1, -1))
    return across.view(batch, channels, height, width).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


def _resampled(images: Tensor, places: Tensor) -> Tensor:
    x = images.permute(0, 3, 1, 2).float()
    x = F.grid_sample(x, places.expand(len(x), -1, -1, -1), mode="bilinear", padding_mode="border", align_corners=True)
    return x.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()
