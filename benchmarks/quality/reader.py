"""The network of the digit classifier, and its training."""

import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum.training.device import choose_precision, precision_context

EPOCHS, BATCH, PEAK_RATE, WEIGHT_DECAY, SHIFT = 6, 128, 4e-3, 0.02, 2
"""The training protocol; another protocol is another classifier, which is cached separately."""
PROTOCOL = f"cnn-dense-128/{EPOCHS}/{BATCH}/{PEAK_RATE}/{WEIGHT_DECAY}/{SHIFT}"


class Reader(nn.Module):
    """Convolutions at 28, 14 and 7 pixels, a dense layer of 128 features, and a linear head.

    No label smoothing and no pooling over the whole image: either folds the features onto the ten classes,
    and a distance between them would no longer depend on variety within a class.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *stage(1, 32, size=5), nn.MaxPool2d(2),
            *stage(32, 64), *stage(64, 64), nn.MaxPool2d(2),
            *stage(64, 64), nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map grey images in -1..1, `(B, 1, 28, 28)`, to logits `(B, 10)` and features `(B, 128)`."""
        features = self.body(x)
        return self.head(features), features


def stage(fan_in: int, fan_out: int, size: int = 3) -> tuple[nn.Module, ...]:
    """Return a convolution that keeps the side, with batch norm and ReLU."""
    convolution = nn.Conv2d(fan_in, fan_out, size, padding=size // 2, bias=False)
    return convolution, nn.BatchNorm2d(fan_out), nn.ReLU()


def scaled(images: Tensor) -> Tensor:
    """Return uint8 images `(B, 28, 28)` as floats in -1..1, `(B, 1, 28, 28)`."""
    return (images[:, None].float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def read(reader: Reader, images: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """Return logits `(N, 10)` and float64 features `(N, 128)`, computed in float32 with the norms frozen."""
    parts = [reader(scaled(part)) for part in torch.from_numpy(images).split(500)]
    logits, features = (torch.cat(column) for column in zip(*parts, strict=True))
    return logits, features.double().numpy()


def shifted(images: Tensor, by: int, draw: torch.Generator) -> Tensor:
    """Return images `(B, H, W)`, each shifted by up to `by` pixels along each axis, padded with black."""
    count, height, width = images.shape
    padded = F.pad(images, (by, by, by, by))
    down, right = torch.randint(2 * by + 1, (2, count, 1, 1), generator=draw)
    rows = down + torch.arange(height)[:, None]
    columns = right + torch.arange(width)
    return padded[torch.arange(count)[:, None, None], rows, columns]


def train(images: np.ndarray, labels: np.ndarray, epochs: int = EPOCHS) -> Reader:
    """Train a reader on uint8 images `(N, 28, 28)` and their labels, with one cycle of the learning rate.

    It computes in bfloat16 where the processor does.
    """
    draw = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        reader = Reader().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(reader.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY, fused=True)
    steps = len(images) // BATCH
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, epochs * steps)
    x, y = torch.from_numpy(images), torch.from_numpy(labels).long()
    cpu = torch.device("cpu")
    precision = precision_context(choose_precision("auto", cpu, convolutional=True), cpu)
    for epoch in range(epochs):
        for chosen in torch.randperm(len(x), generator=draw)[: steps * BATCH].split(BATCH):
            with precision():
                logits, _ = reader(scaled(shifted(x[chosen], SHIFT, draw)))
            loss = F.cross_entropy(logits.float(), y[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            cycle.step()
        print(f"digit_classifier: epoch {epoch + 1} of {epochs}, last loss {loss.item():.4f}", file=sys.stderr)
    return reader.eval()
