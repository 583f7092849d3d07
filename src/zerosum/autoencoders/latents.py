"""Games in the latents of an autoencoder: training a small one, and pictures as its latents."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from zerosum._disk import replace_durably
from zerosum.autoencoders.coding import ConvolutionalAutoencoder, LatentCoding
from zerosum.data.content import content_of
from zerosum.data.dataset import Dataset, Source
from zerosum.data.fingerprints import fingerprint
from zerosum.data.resolve import source
from zerosum.protocols import Autoencoder

FORMAT = "zerosum autoencoder 1"
WEIGHTS, FACTS = "autoencoder.safetensors", "autoencoder.json"
BATCH, PEAK_RATE = 16, 1e-2
_AT_ONCE = 64  # pictures coded together
SMALLEST, MOST_HALVINGS = 8, 3  # sides that are left where nobody says how often to halve: networks take no smaller
_MEASURED = 1_000  # pictures on which the error is measured, at most


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
    """Train a `ConvolutionalAutoencoder` on pictures by its squared error, and keep it in a folder for `Latents`.

    The folder gets its weights as safetensors and its facts as JSON. Pictures come in an order of their own every
    epoch, in batches of 16, under Adam with one cycle of the learning rate. The global generator of random numbers
    stands afterwards where it stood.

    Args:
        data: a source of pictures, or a path.
        folder: a new one, or one that is empty.
        size: channels after the first halving.
        channels: of the latents.
        halvings: of the sides; by default as many, up to three, as leave sides of 8.
        images: pictures shown in all.
        seed: of the first weights and the order.

    Returns:
        The facts in the folder, among them `error`, the root of the mean squared error on up to 1,000 of the pictures,
        where pixels are in [-1, 1].

    Raises:
        ValueError: for data that are no pictures, numbers below 1, or a folder with something in it.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} holds something already: name a new folder for the autoencoder")
    if images < 1:
        raise ValueError(f"images counts the pictures that an autoencoder learns from, at least 1; found {images}")
    dataset = _pictures(source(data))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        halvings = _halvings(dataset.shape) if halvings is None else halvings
        autoencoder = ConvolutionalAutoencoder(dataset.shape, size, channels, halvings)
    _fit(autoencoder, dataset, -(-images // BATCH), torch.Generator().manual_seed(seed))
    some = torch.arange(min(_MEASURED, len(dataset))) * len(dataset) // min(_MEASURED, len(dataset))
    x = _unit(dataset.read(some))
    with torch.no_grad():
        squares = [(autoencoder(block) - block).square() for block in torch.split(x, _AT_ONCE)]
    error = torch.cat(squares).mean().sqrt().item()
    facts = {"format": FORMAT, **autoencoder.facts, "data": dataset.name, "images": images, "error": error}
    folder.mkdir(parents=True, exist_ok=True)
    replace_durably(folder / WEIGHTS, safetensors.torch.save(autoencoder.state_dict()))
    replace_durably(folder / FACTS, json.dumps(facts, indent=1).encode())
    return facts


def load_autoencoder(folder: str | Path) -> ConvolutionalAutoencoder:
    """The autoencoder in a folder that `train_autoencoder` wrote; raises `ValueError` where there is none."""
    folder = Path(folder)
    try:
        facts = json.loads((folder / FACTS).read_text())
        weights = safetensors.torch.load_file(str(folder / WEIGHTS))
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise ValueError(f"{folder} holds no autoencoder: train one there, with train_autoencoder ({error})") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise ValueError(f"{folder} holds no autoencoder of {FORMAT!r}")
    plan = {name: facts[name] for name in ("shape", "size", "channels", "halvings") if name in facts}
    return ConvolutionalAutoencoder.rebuilt(plan, weights)


@dataclass(frozen=True)
class Latents:
    """Another source's pictures as the latents of an autoencoder, in which the game is then played.

    Pictures are encoded once, and each channel of the latents is scaled to mean 0 and deviation 1. Samples, reports and
    scores show what the latents decode to.

    Args:
        data: a source of pictures.
        autoencoder: the folder of one that `train_autoencoder` made, where the latents are kept too; or, from Python,
            any object with `encode` and `decode` (see `Autoencoder`), which encodes whenever the data is opened.
    """

    data: Source
    autoencoder: str | Autoencoder

    def __post_init__(self) -> None:
        if isinstance(self.autoencoder, Path):
            object.__setattr__(self, "autoencoder", str(self.autoencoder))  # so that its repr can be read

    def open(self) -> Dataset:
        """Open the data as latents; raises `ValueError` where it is no pictures, or the autoencoder does not fit."""
        pictures = _pictures(self.data)
        if isinstance(self.autoencoder, Autoencoder):
            autoencoder, latents = self.autoencoder, _encoded(self.autoencoder, pictures)
        else:
            autoencoder = load_autoencoder(self.autoencoder)
            if autoencoder.shape != pictures.shape:
                raise ValueError(
                    f"the autoencoder in {self.autoencoder} is for pictures of shape {autoencoder.shape}; "
                    f"those of {pictures.name} have {pictures.shape}"
                )
            latents = _kept(Path(self.autoencoder), autoencoder, pictures)
        deviation, mean = torch.std_mean(latents.double(), (0, 2, 3), correction=0)
        # A channel in which nothing happens is left as it is.
        deviation = torch.where(deviation > 0, deviation, 1.0)
        coding = LatentCoding(autoencoder, mean.float(), deviation.float())
        scaled = (latents - coding.mean.view(-1, 1, 1)) / coding.deviation.view(-1, 1, 1)
        return Dataset(
            f"latents of {pictures.name}",
            tuple(scaled.shape[1:]),
            len(scaled),
            scaled.__getitem__,
            pictures.conditions,
            pictures.notes,
            coding,
            pictures,
            partial(_content, pictures, autoencoder),
        )


def _pictures(data: Source) -> Dataset:
    dataset = data.open()
    if not dataset.is_image or dataset.coding is not None:
        raise ValueError(f"an autoencoder codes pictures; {dataset.name} has samples of another kind, {dataset.shape}")
    return dataset


def _content(pictures: Dataset, autoencoder: Autoencoder) -> str:
    """What stands for the latents: the pictures, and the weights where they are ours."""
    own = autoencoder.state_dict() if isinstance(autoencoder, ConvolutionalAutoencoder) else {}
    return " ".join([fingerprint(pictures), *(f"{name} {content_of(weight)}" for name, weight in own.items())])


def _halvings(shape: tuple[int, ...]) -> int:
    """As many halvings, up to three, as leave sides of 8 or more; one for smaller pictures."""
    able = (n for n in range(MOST_HALVINGS, 0, -1) if -(-min(shape[1:]) // 2**n) >= SMALLEST)
    return next(able, 1)


def _fit(autoencoder: ConvolutionalAutoencoder, dataset: Dataset, steps: int, draw: torch.Generator) -> None:
    """Train by the squared error, and leave the autoencoder ready for use."""
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


def _blocks(pictures: Dataset) -> Iterator[Tensor]:
    """All pictures in their order, uint8."""
    for start in range(0, len(pictures), _AT_ONCE):
        yield pictures.read(torch.arange(start, min(start + _AT_ONCE, len(pictures))))


@torch.no_grad()
def _encoded(autoencoder: Autoencoder, pictures: Dataset) -> Tensor:
    """The latents of all pictures, float32 `(N, c, h, w)`."""
    latents = torch.cat([autoencoder.encode(_unit(block)).float().cpu() for block in _blocks(pictures)])
    if latents.dim() != 4 or len(latents) != len(pictures) or not latents.isfinite().all():
        raise ValueError(
            f"{type(autoencoder).__name__} should encode pictures as finite latents (B, c, h, w), one a picture; "
            f"found {tuple(latents.shape)} of {len(pictures)} pictures"
        )
    return latents


def _kept(folder: Path, autoencoder: ConvolutionalAutoencoder, pictures: Dataset) -> Tensor:
    """The latents from the autoencoder's folder if they are of these pictures and weights, else made and put there."""
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes())
    for block in _blocks(pictures):
        digest.update(block.numpy().tobytes())
    file = folder / f"latents-{digest.hexdigest()[:16]}.safetensors"
    try:
        return safetensors.torch.load_file(str(file))["latents"]
    except (OSError, KeyError, safetensors.SafetensorError):
        latents = _encoded(autoencoder, pictures)
        replace_durably(file, safetensors.torch.save({"latents": latents}))
        return latents
