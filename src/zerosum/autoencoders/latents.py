"""Training a small autoencoder, and data sets of its latents."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from zerosum._arrays import evenly, separated
from zerosum._disk import read_foreign, read_text, replace_durably
from zerosum._foreign import read_tensors, taken_apart
from zerosum._json import read_json
from zerosum._paths import PATH, tidy_paths, user_path
from zerosum.autoencoders.coding import ConvolutionalAutoencoder, LatentCoding
from zerosum.data.content import content_of
from zerosum.data.dataset import Dataset, Source
from zerosum.data.fingerprints import fingerprint
from zerosum.data.resolve import source
from zerosum.data.sources.torchset import MapStyle
from zerosum.protocols import Autoencoder

FORMAT = "zerosum autoencoder 1"
WEIGHTS, FACTS = "autoencoder.safetensors", "autoencoder.json"
BATCH, PEAK_RATE = 16, 1e-2
_MOST_FACTS = 1 << 20  # bytes
_AT_ONCE = 64  # batch size of encoding
SMALLEST, MOST_HALVINGS = 8, 3  # of the latents by default: networks take no smaller maps
_MEASURED = 1_000  # images on which the error is measured, at most


def train_autoencoder(
    data: Any,
    folder: str | Path,
    *,
    size: int = 16,
    channels: int = 4,
    halvings: int | None = None,
    images: int = 40_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Train a `ConvolutionalAutoencoder` on images by mean squared error, and save it in a folder for `Latents`.

    The folder gets the weights as safetensors and the facts as JSON. Images are shuffled every epoch, in batches of 16,
    under Adam with a one-cycle learning rate. The state of the global random number generator is preserved.

    Args:
        data: a source of images, or a path.
        folder: a new or empty folder.
        size: channels after the first halving.
        channels: channels of the latents.
        halvings: how often height and width are halved; by default as often, up to three times, as leaves 8 or more.
        images: training images in total, counted with repetition.
        seed: seed of the initial weights and of the order.

    Returns:
        The facts in the folder, with `error`, the root mean squared error on up to 1,000 of the images, with pixels in
        [-1, 1].

    Raises:
        ValueError: for data other than images, numbers below 1, or a folder that is not empty.
    """
    folder = user_path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is not empty: name a new folder for the autoencoder")
    if images < 1:
        raise ValueError(f"images is the number of training images of an autoencoder, at least 1; found {images}")
    dataset = _images(source(data))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        halvings = _halvings(dataset.shape) if halvings is None else halvings
        autoencoder = ConvolutionalAutoencoder(dataset.shape, size, channels, halvings)
    _fit(autoencoder, dataset, -(-images // BATCH), torch.Generator().manual_seed(seed))
    x = _unit(dataset.read(evenly(len(dataset), _MEASURED)))
    with torch.no_grad():
        squares = [(autoencoder(block) - block).square() for block in torch.split(x, _AT_ONCE)]
    error = torch.cat(squares).mean().sqrt().item()
    facts = {"format": FORMAT, **autoencoder.facts, "data": dataset.name, "images": images, "error": error}
    folder.mkdir(parents=True, exist_ok=True)
    replace_durably(folder / WEIGHTS, safetensors.torch.save(separated(autoencoder.state_dict())))
    replace_durably(folder / FACTS, json.dumps(facts, indent=1).encode())
    return facts


def load_autoencoder(folder: str | Path) -> ConvolutionalAutoencoder:
    """Load the autoencoder in a folder written by `train_autoencoder`; raises `ValueError` if there is none."""
    folder = user_path(folder)
    try:
        facts = read_json(FACTS, read_text(folder / FACTS, _MOST_FACTS))
        weights, _ = read_tensors(folder / WEIGHTS)
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder} contains no autoencoder: train one with train_autoencoder ({error})") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ValueError(f"{folder} contains no autoencoder of the format {FORMAT!r}")
    plan = {name: facts[name] for name in ("shape", "size", "channels", "halvings") if name in facts}
    with taken_apart(folder):
        return ConvolutionalAutoencoder.restored(plan, weights)


@dataclass(frozen=True)
class Latents:
    """A data set of the latents of another source's images, for training in the latent space of an autoencoder.

    Images are encoded once, and each channel of the latents is scaled to mean 0 and standard deviation 1. Samples,
    reports and scores are of the decoded images.

    Args:
        data: a source of images.
        autoencoder: a folder written by `train_autoencoder`, where the latents are cached too; or, from Python, any
            object with `encode` and `decode` (see `Autoencoder`), which encodes whenever the data is opened.
    """

    data: Source
    autoencoder: str | Autoencoder = field(metadata=PATH)

    def __post_init__(self) -> None:
        tidy_paths(self)
        if isinstance(self.data, Path | MapStyle):  # a path, an array or a dataset of torch, from Python
            object.__setattr__(self, "data", source(self.data))

    def open(self) -> Dataset:
        """Open the data as latents; raises `ValueError` unless they are images that fit the autoencoder."""
        images = _images(self.data)
        if isinstance(self.autoencoder, Autoencoder):
            autoencoder, latents = self.autoencoder, _encoded(self.autoencoder, images)
        else:
            autoencoder = load_autoencoder(self.autoencoder)
            if autoencoder.shape != images.shape:
                raise ValueError(
                    f"the autoencoder in {self.autoencoder} is for images of shape {autoencoder.shape}; "
                    f"those of {images.name} have {images.shape}"
                )
            latents = _kept(user_path(self.autoencoder), autoencoder, images)
        std, mean = torch.std_mean(latents.double(), (0, 2, 3), correction=0)
        # A constant channel is not scaled.
        std = torch.where(std > 0, std, 1.0)
        coding = LatentCoding(autoencoder, mean.float(), std.float())
        scaled = (latents - coding.mean.view(-1, 1, 1)) / coding.std.view(-1, 1, 1)
        return Dataset(
            f"latents of {images.name}",
            tuple(scaled.shape[1:]),
            len(scaled),
            scaled.__getitem__,
            images.conditions,
            images.notes,
            coding,
            images,
            partial(_content, images, autoencoder),
        )


def _images(data: Source) -> Dataset:
    dataset = data.open()
    if not dataset.is_image or dataset.coding is not None:
        raise ValueError(f"an autoencoder encodes images; {dataset.name} has samples of another kind, {dataset.shape}")
    return dataset


def _content(images: Dataset, autoencoder: Autoencoder) -> str:
    """The fingerprint of the latents: that of the images, and the weights of a `ConvolutionalAutoencoder`."""
    own = autoencoder.state_dict() if isinstance(autoencoder, ConvolutionalAutoencoder) else {}
    return " ".join([fingerprint(images), *(f"{name} {content_of(weight)}" for name, weight in own.items())])


def _halvings(shape: tuple[int, ...]) -> int:
    """As many halvings, up to three, as leave a height and width of 8 or more; one for smaller images."""
    able = (n for n in range(MOST_HALVINGS, 0, -1) if -(-min(shape[1:]) // 2**n) >= SMALLEST)
    return next(able, 1)


def _fit(autoencoder: ConvolutionalAutoencoder, dataset: Dataset, steps: int, draw: torch.Generator) -> None:
    """Train by the mean squared error, then freeze the autoencoder."""
    optimiser = torch.optim.Adam(autoencoder.parameters(), PEAK_RATE)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, max(steps, 2))
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        while len(order) < BATCH:
            order = torch.cat([order, torch.randperm(len(dataset), generator=draw)])
        chosen, order = order[:BATCH], order[BATCH:]
        x = _unit(dataset.read(chosen))
        loss = mse_loss(autoencoder(x), x)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        cycle.step()
    autoencoder.eval().requires_grad_(False)


def _unit(x: Tensor) -> Tensor:
    return x.float().div_(127.5).sub_(1)


def _blocks(images: Dataset) -> Iterator[Tensor]:
    """All images in order, uint8, in batches."""
    for start in range(0, len(images), _AT_ONCE):
        yield images.read(torch.arange(start, min(start + _AT_ONCE, len(images))))


@torch.no_grad()
def _encoded(autoencoder: Autoencoder, images: Dataset) -> Tensor:
    """The latents of all images, float32 `(N, c, h, w)`."""
    latents = torch.cat([autoencoder.encode(_unit(block)).float().cpu() for block in _blocks(images)])
    if latents.dim() != 4 or len(latents) != len(images) or not latents.isfinite().all():
        raise ValueError(
            f"{type(autoencoder).__name__} should encode images as finite latents (B, c, h, w), one per image; "
            f"found {tuple(latents.shape)} of {len(images)} images"
        )
    return latents


def _kept(folder: Path, autoencoder: ConvolutionalAutoencoder, images: Dataset) -> Tensor:
    """The latents cached in the autoencoder's folder for these images and weights; encoded and cached if missing."""
    digest = hashlib.sha256(read_foreign(folder / WEIGHTS))
    for block in _blocks(images):
        digest.update(block.numpy().tobytes())
    file = folder / f"latents-{digest.hexdigest()[:16]}.safetensors"
    with suppress(OSError, ValueError):
        latents = read_tensors(file)[0].get("latents")
        if latents is not None and latents.dim() == 4 and len(latents) == len(images) and latents.isfinite().all():
            return latents
    latents = _encoded(autoencoder, images)
    with suppress(OSError, ValueError):  # it only saves time
        replace_durably(file, safetensors.torch.save({"latents": latents}))
    return latents
