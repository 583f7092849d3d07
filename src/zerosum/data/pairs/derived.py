"""Conditions derived from the samples themselves, so that any images make pairs."""

__all__ = ["Downscaled", "Drawings", "Edges", "Grayscale", "Masked"]

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from zerosum._checks import require
from zerosum.conditions.image import Image
from zerosum.data.conditions import Conditions
from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import PARTS, part_of
from zerosum.data.sources.digits import Digits
from zerosum.data.toys.coloured_digits import ColouredDigits

Derivation = Callable[[Tensor, Tensor], Tensor]  # from images and their indices to conditions, uint8
_GREY = torch.tensor([0.299, 0.587, 0.114])  # luma of ITU-R BT.601
_HOLE = 128  # the value of hidden pixels
_FACTORS = (2, 3, 4, 6, 8)
_SOBEL = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4
_DARKEST = 96.0  # gradient norm, in grey levels a pixel, from which a line is black


@dataclass(frozen=True)
class Downscaled:
    """Images, each under its downscaled copy as the condition: for super-resolution.

    Args:
        source: a source of images whose height and width the factor divides.
        factor: 2, 3, 4, 6 or 8; the resize is antialiased bicubic, as Pillow's.
        part: "train", "test" or "all": one image in ten is held out by its name.
    """

    source: Source = Digits()
    factor: int = 4
    part: str = "train"

    def __post_init__(self) -> None:
        require(self, self.factor in _FACTORS, f"a factor of {', '.join(map(str, _FACTORS))}")
        require(self, self.part in PARTS, f"part to be {', '.join(PARTS)}")

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points, and for sizes that the factor does not divide."""
        images = _images(self.source)
        channels, height, width = images.shape
        if height % self.factor or width % self.factor:
            raise ValueError(
                f"{images.name} has images of {height}x{width}, which {self.factor} does not divide: choose another "
                f"size or factor"
            )
        small = (channels, height // self.factor, width // self.factor)
        return _derived(images, small, lambda x, _: downscaled(x, self.factor), f"downscaled {self.factor}", self.part)


@dataclass(frozen=True)
class Grayscale:
    """Colour images, each under its grey copy as the condition: for colorization.

    Args:
        source: a source of RGB images.
        part: "train", "test" or "all": one image in ten is held out by its name.
    """

    source: Source = ColouredDigits()
    part: str = "train"

    def __post_init__(self) -> None:
        require(self, self.part in PARTS, f"part to be {', '.join(PARTS)}")

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points and for images without colour."""
        images = _images(self.source)
        if images.shape[0] != 3:
            raise ValueError(f"{images.name} has no colour (images of {images.shape}): use RGB images")
        return _derived(images, (1, *images.shape[1:]), lambda x, _: grey(x), "grayscale", self.part)


@dataclass(frozen=True)
class Masked:
    """Images, each with a part hidden as the condition: for inpainting.

    The condition has one channel more than the image: 255 where pixels are known and 0 where they are hidden. Hidden
    pixels are 128. The mask of an image depends on its index alone: half of the masks are boxes, half are strokes.

    Args:
        source: a source of images.
        share: share of pixels that a box hides; strokes hide about as many.
        part: "train", "test" or "all": one image in ten is held out by its name.
    """

    source: Source = Digits()
    share: float = 0.25
    part: str = "train"

    def __post_init__(self) -> None:
        require(self, 0 < self.share < 1, "a share in (0, 1)")
        require(self, self.part in PARTS, f"part to be {', '.join(PARTS)}")

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points."""
        images = _images(self.source)
        channels, height, width = images.shape

        def derive(x: Tensor, indices: Tensor) -> Tensor:
            masks = torch.stack([mask(int(i), height, width, self.share) for i in indices])[:, None]
            return hidden(x, masks)

        size = (channels + 1, height, width)
        return _derived(images, size, derive, f"masked {self.share}", self.part, content="masked")


@dataclass(frozen=True)
class Edges:
    """Images, each under a line drawing of its edges as the condition: for drawing to image.

    Lines are dark on white, from the gradient norm of the grey image (Sobel's filter) after a 3x3 binomial blur.

    Args:
        source: a source of images.
        part: "train", "test" or "all": one image in ten is held out by its name.
    """

    source: Source = Digits()
    part: str = "train"

    def __post_init__(self) -> None:
        require(self, self.part in PARTS, f"part to be {', '.join(PARTS)}")

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points."""
        images = _images(self.source)
        return _derived(images, (1, *images.shape[1:]), lambda x, _: edges(x), "edges", self.part)


@dataclass(frozen=True)
class Drawings:
    """The line drawings of `Edges` as samples, without a condition: a set of drawings, for translation without pairs.

    Args:
        source: a source of images.
    """

    source: Source = Digits()

    def open(self) -> Dataset:
        """Open the images; raises `ValueError` for points."""
        images = _images(self.source)
        content = images.content
        return replace(
            images,
            name=f"drawings of {images.name}",
            shape=(1, *images.shape[1:]),
            read=lambda index: edges(images.read(index)),
            conditions=None,
            content=None if content is None else lambda: f"{content()} drawings",
            content_without=None,
        )


@dataclass(frozen=True, eq=False)
class _Derived:
    """Values computed from the samples."""

    dataset: Dataset
    derive: Derivation
    text: str

    def __len__(self) -> int:
        return len(self.dataset)

    def of(self, indices: Tensor, x: Tensor | None) -> Tensor:
        """The conditions of the samples at indices `(B,)`."""
        return self.derive(self.dataset.read(indices) if x is None else x, indices)

    def content(self) -> str:
        """The derivation, as the samples are hashed anyway."""
        return self.text


def downscaled(x: Tensor, factor: int) -> Tensor:
    """Images uint8 `(B, C, H, W)` at 1/factor of their height and width, by antialiased bicubic interpolation."""
    size = (x.shape[2] // factor, x.shape[3] // factor)
    return _rounded(interpolate(x.float(), size, mode="bicubic", antialias=True, align_corners=False))


def grey(x: Tensor) -> Tensor:
    """Images uint8 `(B, C, H, W)` as grey ones `(B, 1, H, W)`, by the luma of ITU-R BT.601."""
    return x[:, :1] if x.shape[1] < 3 else _rounded((x[:, :3].float() * _GREY.view(3, 1, 1)).sum(1, keepdim=True))


def edges(x: Tensor) -> Tensor:
    """Line drawings `(B, 1, H, W)` of images uint8 `(B, C, H, W)`, dark lines on white."""
    blur = torch.tensor([1.0, 2.0, 1.0])
    smooth = (blur[:, None] * blur / 16).view(1, 1, 3, 3)
    flat = conv2d(pad(grey(x).float(), (2, 2, 2, 2), mode="replicate"), smooth)
    filters = torch.stack([_SOBEL, _SOBEL.T])[:, None]
    norm = conv2d(flat, filters).square().sum(1, keepdim=True).sqrt()
    return _rounded(255 * (1 - norm / _DARKEST))


def hidden(x: Tensor, known: Tensor) -> Tensor:
    """Images uint8 `(B, C, H, W)` with 128 where `known`, bool `(B, 1, H, W)`, is false, and the mask as a channel."""
    return torch.cat([torch.where(known, x, torch.full_like(x, _HOLE)), known.to(torch.uint8) * 255], dim=1)


def mask(index: int, height: int, width: int, share: float) -> Tensor:
    """The known pixels of the image at an index, bool `(H, W)`: all but a box, or but some strokes."""
    seed = int.from_bytes(hashlib.sha256(f"mask {index}".encode()).digest()[:8], "big") >> 1
    draw = torch.Generator().manual_seed(seed)
    known = torch.ones(height, width, dtype=torch.bool)
    if index % 2 == 0:
        ratio = float(torch.rand((), generator=draw)) + 0.5  # of height to width, in [0.5, 1.5)
        down = min(height, max(1, round((share * ratio) ** 0.5 * height)))
        across = min(width, max(1, round(share * height * width / down)))
        top, left = (int(torch.randint(free + 1, (), generator=draw)) for free in (height - down, width - across))
        known[top : top + down, left : left + across] = False
        return known
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    thickness = max(1.0, 0.08 * min(height, width))
    while float((~known).float().mean()) < share:
        (y0, y1), (x0, x1) = ((torch.rand(2, generator=draw) * (side - 1)).tolist() for side in (height, width))
        length = max((y1 - y0) ** 2 + (x1 - x0) ** 2, 1e-6)
        along = (((rows - y0) * (y1 - y0) + (columns - x0) * (x1 - x0)) / length).clamp(0, 1)
        distance = ((rows - y0 - along * (y1 - y0)) ** 2 + (columns - x0 - along * (x1 - x0)) ** 2).sqrt()
        known &= distance > thickness
    return known


def _images(source: Source) -> Dataset:
    dataset = source.open()
    if not dataset.is_image or dataset.coding is not None:
        raise ValueError(f"conditions are derived from images; {dataset.name} has samples of {dataset.shape}")
    return dataset


def _derived(
    images: Dataset, size: tuple[int, ...], derive: Derivation, text: str, part: str, content: str = "image"
) -> Dataset:
    channels, height, width = size
    kind = Image((channels, height, width), content=content)
    return part_of(replace(images, conditions=Conditions(kind, _Derived(images, derive, text))), part)


def _rounded(x: Tensor) -> Tensor:
    return x.round().clamp(0, 255).to(torch.uint8)
