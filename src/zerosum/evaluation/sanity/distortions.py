"""What can be wrong with samples, made on purpose and in any strength: by which a metric shows what it notices.

The first six are those of Heusel et al. 2017 (arXiv 1706.08500), their appendix A1: noise, blur, black rectangles,
swirl, salt and pepper, and pictures of another set. The others are a generator's own vices: classes left out, few
pictures again and again, training pictures known by heart, and too few samples.

All are pure functions of rows, a strength in [0, 1] and a seed; strength 0 changes nothing. Those of pictures take
uint8 `(B, H, W, C)`; what befalls one is decided by the seed and its place alone, and not by the others or by how many
there are. Those of sets take rows of anything, so that the features of a spoilt set are the spoilt features.
"""

import hashlib
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from zerosum._arrays import Array, tensor, tensors

NOISE = 0.75  # share of noise at full strength
BLUR = 1 / 16  # deviation of the blur, in sides
RECTANGLES, BLACK = 5, 0.5  # how many, and the side of each, in sides
TURN, REACH = 4.0, 0.4  # of a swirl: radians at its centre, and its radius, in sides
FLIPPED = 0.3  # share of pixels that are salt or pepper
FEWEST = 1 / 32  # share of samples left


def gaussian_noise(images: Array, strength: float, seed: int = 0) -> Tensor:
    """(1 - a) x + a n with n normal of mean 127.5 and deviation 127.5 / 2, cut at 0 and 255; a = 0.75 strength."""
    images = tensor(images)
    _check_images(images, strength)
    share = NOISE * strength

    def spoil(x: Tensor, draw: torch.Generator) -> Tensor:
        noise = (127.5 + 63.75 * torch.randn(x.shape, generator=draw)).clamp(0, 255)
        return (1 - share) * x + share * noise

    return _each(images, spoil, "noise", seed)


def gaussian_blur(images: Array, strength: float, seed: int = 0) -> Tensor:  # noqa: ARG001 - all are called alike
    """Averages by a Gaussian of deviation strength / 16 of the longer side; the edge is repeated. The seed is not used.

    Heusel et al. go up to 4 pixels of 64, as here.
    """
    images = tensor(images)
    _check_images(images, strength)
    deviation = BLUR * strength * max(images.shape[1:3])
    if not deviation:
        return images.clone()
    reach = math.ceil(4 * deviation)
    weights = torch.exp(-torch.arange(-reach, reach + 1.0).square() / (2 * deviation**2))
    weights = weights / weights.sum()
    return torch.cat([_blurred(block, weights, reach) for block in torch.split(images, 64)])


def black_rectangles(images: Array, strength: float, seed: int = 0) -> Tensor:
    """Five black rectangles at random places, each half the strength of both sides large, within the picture."""
    images = tensor(images)
    _check_images(images, strength)
    height, width = (round(BLACK * strength * side) for side in images.shape[1:3])

    def spoil(x: Tensor, draw: torch.Generator) -> Tensor:
        x = x.clone()
        for u, v in torch.rand(RECTANGLES, 2, generator=draw).tolist():
            top, left = int(u * (len(x) - height + 1)), int(v * (x.shape[1] - width + 1))
            x[top : top + height, left : left + width] = 0
        return x

    return _each(images, spoil, "rectangles", seed)


def swirl(images: Array, strength: float, seed: int = 0) -> Tensor:  # noqa: ARG001 - all are called alike
    """Turns each picture about its centre, most there and ever less outwards. The seed is not used.

    A pixel at distance r and angle t shows what was at angle t + 4 strength exp(-5 r / (ln 2 R)), with R = 0.4 of the
    longer side, between pixels by bilinear interpolation; the edge is repeated.
    """
    images = tensor(images)
    _check_images(images, strength)
    if not strength:
        return images.clone()
    height, width = images.shape[1:3]
    y, x = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij")
    distance = torch.hypot(x, y)
    by = TURN * strength * torch.exp(-5 * distance / (math.log(2) * REACH * max(height, width)))
    angle = torch.atan2(y, x) + by
    # Places from -1 to 1 between the centres of the first and the last pixel.
    across = 2 * distance * angle.cos() / max(width - 1, 1)
    down = 2 * distance * angle.sin() / max(height - 1, 1)
    places = torch.stack([across, down], -1)
    return torch.cat([_moved(block, places) for block in torch.split(images, 64)])


def salt_and_pepper(images: Array, strength: float, seed: int = 0) -> Tensor:
    """A share of 0.3 strength of the pixels becomes white or black, one as likely as the other."""
    images = tensor(images)
    _check_images(images, strength)

    def spoil(x: Tensor, draw: torch.Generator) -> Tensor:
        u = torch.rand(x.shape[:2], generator=draw)[..., None]
        return torch.where(u < FLIPPED * strength, torch.where(u < FLIPPED * strength / 2, 0.0, 255.0), x)

    return _each(images, spoil, "salt", seed)


def contaminated(rows: Array, strength: float, seed: int = 0, *, other: Array) -> Tensor:
    """A share `strength` of the rows gives way to rows of another set, `(M, ...)` of the same shape, one each.

    Where there are fewer of those, they are taken again.
    """
    rows, other = tensors(rows, other)
    _check_rows(rows, strength)
    if not len(other) or other.shape[1:] != rows.shape[1:]:
        raise ValueError(
            f"the other set should have rows of the same shape {tuple(rows.shape[1:])}; found {tuple(other.shape)}"
        )
    instead = _shuffled(len(other), "other", seed).repeat(-(-len(rows) // len(other)))[: len(rows)]
    there = torch.zeros(len(rows), dtype=torch.bool)
    there[_chosen(len(rows), strength, "contaminated", seed)] = True
    return _where(there, other[instead], rows)


def modes_dropped(rows: Array, strength: float, seed: int = 0, *, labels: Array) -> Tensor:
    """A share `strength` of the classes, but never all, is left out: their rows give way to rows of classes that stay.

    `labels` are int64 `(B,)`. The classes go in an order that the seed decides.
    """
    rows, labels = tensors(rows, labels)
    _check_rows(rows, strength)
    if labels.dtype != torch.int64 or labels.shape != (len(rows),):
        raise ValueError(f"labels say the class of each row, int64 ({len(rows)},); found {tuple(labels.shape)}")
    classes: Tensor = torch.unique(labels)
    count = min(round(strength * len(classes)), len(classes) - 1)
    dropped = torch.isin(labels, classes[_shuffled(len(classes), "modes", seed)[:count]])
    stay = (~dropped).nonzero()[:, 0]
    pick = torch.randint(len(stay), (len(rows),), generator=_stream("instead", seed))
    return _where(dropped, rows[stay[pick]], rows)


def repeated(rows: Array, strength: float, seed: int = 0) -> Tensor:
    """A share `strength` of the rows, but never all, gives way to repetitions of those that stay."""
    rows = tensor(rows)
    _check_rows(rows, strength)
    count = min(round(strength * len(rows)), len(rows) - 1)
    order = _shuffled(len(rows), "repeated", seed)
    gone, stay = order[:count], order[count:]
    found = rows.clone()
    found[gone] = rows[stay[torch.arange(count) % len(stay)]]
    return found


def memorised(rows: Array, strength: float, seed: int = 0, *, train: Array) -> Tensor:
    """A share `strength` of the rows gives way to rows of the training set, `(M, ...)`, as if known by heart."""
    rows, train = tensors(rows, train)
    return contaminated(rows, strength, seed, other=train)


def fewer(rows: Array, strength: float, seed: int = 0) -> Tensor:
    """Only a share of 32^-strength of the rows, at least two, in their order."""
    rows = tensor(rows)
    _check_rows(rows, strength)
    count = max(round(len(rows) * FEWEST**strength), min(2, len(rows)))
    return rows[_shuffled(len(rows), "fewer", seed)[:count].sort().values]


def _check_rows(rows: Tensor, strength: float) -> None:
    if not 0 <= strength <= 1:
        raise ValueError(f"strength runs from 0, for no distortion, to 1; found {strength}")
    if rows.dim() < 1 or not len(rows):
        raise ValueError(f"there should be a row to distort, or more; found {tuple(rows.shape)}")


def _check_images(images: Tensor, strength: float) -> None:
    if images.dtype != torch.uint8 or images.dim() != 4:
        raise ValueError(f"pictures to distort are uint8 (B, H, W, C); found {images.dtype} {tuple(images.shape)}")
    _check_rows(images, strength)


def _stream(purpose: str, seed: int, place: int = 0) -> torch.Generator:
    """Random numbers that follow from all three, and are unlike those of any other three."""
    digest = hashlib.sha256(f"{purpose} {seed} {place}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def _each(images: Tensor, spoil: Callable[[Tensor, torch.Generator], Tensor], purpose: str, seed: int) -> Tensor:
    """Pictures `(H, W, C)` spoilt one by one as float32, each with random numbers of its own."""
    spoilt = (spoil(x.float(), _stream(purpose, seed, place)) for place, x in enumerate(images))
    return torch.stack([x.round().clamp(0, 255).byte() for x in spoilt])


def _shuffled(count: int, purpose: str, seed: int) -> Tensor:
    return torch.randperm(count, generator=_stream(purpose, seed))


def _chosen(count: int, share: float, purpose: str, seed: int) -> Tensor:
    """A share of the places, of which a larger share has all that a smaller one has."""
    return _shuffled(count, purpose, seed)[: round(share * count)]


def _where(mask: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Rows of the first where the mask `(B,)` says so, and else of the second."""
    return torch.where(mask.view(-1, *(1,) * (second.dim() - 1)), first, second)


def _blurred(images: Tensor, weights: Tensor, reach: int) -> Tensor:
    x = images.permute(0, 3, 1, 2).float()
    batch, channels, height, width = x.shape
    x = x.reshape(-1, 1, height, width)
    down = F.conv2d(F.pad(x, (0, 0, reach, reach), mode="replicate"), weights.view(1, 1, -1, 1))
    across = F.conv2d(F.pad(down, (reach, reach, 0, 0), mode="replicate"), weights.view(1, 1, 1, -1))
    return across.view(batch, channels, height, width).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


def _moved(images: Tensor, places: Tensor) -> Tensor:
    x = images.permute(0, 3, 1, 2).float()
    x = F.grid_sample(x, places.expand(len(x), -1, -1, -1), mode="bilinear", padding_mode="border", align_corners=True)
    return x.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()
