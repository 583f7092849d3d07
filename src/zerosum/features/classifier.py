"""A small image classifier, trained on the user's labels: it predicts the class of samples."""

__all__ = ["Classifier", "train_classifier"]

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zerosum._arrays import Array, described, tensor, tensors

PROTOCOL = "reader 1"  # change this with the network or its training
BATCH, PEAK_RATE, WEIGHT_DECAY = 128, 4e-3, 0.02
HELD_OUT, MOST_HELD_OUT = 5, 5_000  # one image in so many is held out, and no more than so many of them
WIDEST, SMALLEST = 48, 7  # sides: larger images are averaged down to this at first, and halving ends there
SEEN = 40_000  # training images in total, counted with repetition
SHIFT = 14  # a training image is shifted by up to the SHIFT-th part of its height and width
_LARGEST = 1 << 16  # height or width of an image
_AT_ONCE = 500  # images read together

Precision = Callable[[], AbstractContextManager[None]]


def _stage(fan_in: int, fan_out: int, size: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(fan_in, fan_out, size, padding=size // 2, bias=False)
    return convolution, nn.BatchNorm2d(fan_out), nn.ReLU(inplace=True)


class ClassifierNetwork(nn.Module):
    """Convolutions with halvings between them, a dense layer of features, and a linear head.

    Nothing is pooled over the whole image, since distances of such features would no longer depend on variety within a
    class.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, features: int) -> None:
        super().__init__()
        self.shrink = -(-max(shape[1:]) // WIDEST)
        height, width = (-(-side // self.shrink) for side in shape[1:])
        channels = 16
        stages = [*_stage(shape[0], channels, 5)]
        while max(height, width) > SMALLEST:
            wider = min(2 * channels, 64)
            stages += [nn.MaxPool2d(2, ceil_mode=True), *_stage(channels, wider, 3)]
            channels, height, width = wider, -(-height // 2), -(-width // 2)
        dense = nn.Linear(channels * height * width, features)
        self.body = nn.Sequential(*stages, nn.Flatten(), dense, nn.ReLU(inplace=True))
        self.head = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images in -1..1, `(B, C, H, W)`, to logits `(B, classes)` and features `(B, d)`."""
        if self.shrink > 1:
            x = F.avg_pool2d(x, self.shrink, ceil_mode=True)
        features: Tensor = self.body(x)
        return self.head(features), features


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained classifier and its accuracy on held-out images.

    Attributes:
        reader: the network, in evaluation mode.
        shape: shape of an image, `(C, H, W)`.
        classes: number of classes.
        accuracy: accuracy on held-out images: an upper bound for any accuracy measured with it.
        held_out: number of held-out images.
    """

    reader: nn.Module
    shape: tuple[int, ...]
    classes: int
    accuracy: float
    held_out: int

    def probabilities(self, images: Array) -> Tensor:
        """Class probabilities of uint8 images `(N, C, H, W)`: float32 `(N, classes)`, rows of sum 1."""
        return self.read(images)[0].softmax(1)

    def features(self, images: Array) -> Tensor:
        """Features of uint8 images `(N, C, H, W)`: float32 `(N, d)`, at least 0; the input of the head."""
        return self.read(images)[1]

    @torch.no_grad()
    def read(self, images: Array) -> tuple[Tensor, Tensor]:
        """Logits `(N, classes)` and features `(N, d)` of uint8 images `(N, C, H, W)`, float32, on the CPU.

        Raises `ValueError` for images of another shape.
        """
        images = tensor(images)
        if images.dtype != torch.uint8 or tuple(images.shape[1:]) != self.shape:
            raise ValueError(
                f"this classifier reads uint8 images (N, {_listed(self.shape)}); found {described(images)}"
            )
        device = next(self.reader.parameters()).device
        blocks = (images[start : start + _AT_ONCE].to(device) for start in range(0, max(len(images), 1), _AT_ONCE))
        logits, features = zip(*(self.reader(_scaled(block)) for block in blocks), strict=True)
        return torch.cat(logits).float().cpu(), torch.cat(features).float().cpu()

    @property
    def state(self) -> dict[str, Tensor]:
        """All of it as named tensors, for safetensors and `restored`."""
        facts = {
            "shape": torch.tensor(self.shape),
            "accuracy": torch.tensor(self.accuracy, dtype=torch.float64),
            "held_out": torch.tensor(self.held_out),
        }
        return {**{name: t.cpu().contiguous() for name, t in self.reader.state_dict().items()}, **facts}


def train_classifier(
    images: Array,
    labels: Array,
    classes: int,
    seed: int = 0,
    seen: int = SEEN,
    features: int = 128,
    precision: Precision = nullcontext,
) -> Classifier:
    """Train a classifier on labelled images, and measure its accuracy on held-out ones.

    One in five of the images, 5,000 at most, chosen by the seed, is held out. The others pass in batches of 128, each
    shifted by up to a fourteenth of its height and width, with AdamW and one cycle of the learning rate. On the
    embedded digits its accuracy is 98.4 % (benchmarks/results/gallery.md). The global random state is unchanged.

    Args:
        images: uint8 `(N, C, H, W)`, ten or more, of any height and width and channels; it trains on their device.
        labels: int64 `(N,)` in [0, classes).
        classes: number of classes, at least 2.
        seed: seed of the split, the initial weights, the order and the shifts.
        seen: training images in total, counted with repetition, which bounds the cost for any N.
        features: dimensions of a feature vector.
        precision: context of the training; predictions are always in float32.

    Raises:
        ValueError: for images or labels of another kind.
    """
    images, labels = tensors(images, labels)
    _check(images, labels, classes)
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=draw)
    held = min(len(images) // HELD_OUT, MOST_HELD_OUT)
    shape = tuple(images.shape[1:])
    reader = new_network(shape, classes, seed, features).to(images.device)
    fit(reader, shifted_batches(images, labels, order[held:], draw), max(seen // BATCH, 2), precision)
    unmeasured = Classifier(reader, shape, classes, 0.0, held)
    read = unmeasured.probabilities(images[order[:held].to(images.device)]).argmax(1)
    accuracy = float((read == labels[order[:held].to(labels.device)].cpu()).double().mean())
    return Classifier(reader, shape, classes, accuracy, held)


def new_network(shape: tuple[int, ...], classes: int, seed: int, features: int = 128) -> nn.Module:
    """An untrained network for images `(C, H, W)`, on the CPU; the global random state is unchanged."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ClassifierNetwork(shape, classes, features)


def shifted_batches(
    images: Tensor, labels: Tensor, indices: Tensor, draw: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Infinite batches of images at these indices, each shifted, with their labels."""
    for rows in _batches(indices, draw):
        yield _moved(images[rows.to(images.device)], draw), labels[rows.to(labels.device)]


def fit(
    reader: nn.Module,
    batches: Iterator[tuple[Tensor, Tensor]],
    steps: int,
    precision: Precision = nullcontext,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
) -> None:
    """Train a network on batches of images, uint8 `(B, C, H, W)` on its device, and labels `(B,)`; then freeze it.

    For another `loss` of the network's outputs, labels are what that takes.
    """
    reader.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs
    optimiser = torch.optim.AdamW(reader.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, steps)
    for _ in range(steps):
        images, labels = next(batches)
        with precision():
            logits, _ = reader(_scaled(images))
        value = loss(logits.float(), labels.to(logits.device))
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        cycle.step()
    reader.eval().requires_grad_(False)


def restored(state: Mapping[str, Tensor]) -> Classifier:
    """The classifier of a `state`; raises `ValueError` for any other tensors."""
    facts = {"shape", "accuracy", "held_out", "head.weight"}
    if not facts <= state.keys():
        raise ValueError(f"a classifier's state holds {', '.join(sorted(facts))} and more; found {', '.join(state)}")
    shape, head = tuple(state["shape"].flatten().tolist()), state["head.weight"]
    if len(shape) != 3 or not all(type(side) is int and 0 < side < _LARGEST for side in shape) or head.dim() != 2:
        raise ValueError(f"a classifier reads images of a shape (C, H, W) and has a head (classes, d); found {shape}")
    if any(state[name].numel() != 1 for name in ("accuracy", "held_out")):
        raise ValueError("a classifier's accuracy and its number of held-out images are one number each")
    weights = {name: tensor for name, tensor in state.items() if "." in name}
    with torch.device("meta"):  # where nothing is allocated, whatever sizes the file names
        reader = ClassifierNetwork(shape, *head.shape)
    own = reader.state_dict()
    if {name: (t.shape, t.dtype) for name, t in own.items()} != {n: (t.shape, t.dtype) for n, t in weights.items()}:
        raise ValueError(
            f"the weights do not fit a classifier of images {shape}: the file is damaged or of another kind"
        )
    reader.load_state_dict(weights, assign=True)
    reader.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Classifier(reader, shape, len(head), float(state["accuracy"]), int(state["held_out"]))


def _check(images: Tensor, labels: Tensor, classes: int) -> None:
    if images.dtype != torch.uint8 or images.dim() != 4 or len(images) < 2 * HELD_OUT:
        raise ValueError(f"a classifier learns from ten or more uint8 images (N, C, H, W); found {described(images)}")
    if labels.dtype != torch.int64 or labels.shape != (len(images),):
        raise ValueError(f"a classifier wants one int64 label per image, ({len(images)},); found {described(labels)}")
    if classes < 2 or int(labels.min()) < 0 or int(labels.max()) >= classes:
        low, high = int(labels.min()), int(labels.max())
        raise ValueError(f"labels lie in [0, classes) for two or more classes; found {low}..{high} of {classes}")


def _batches(indices: Tensor, draw: torch.Generator) -> Iterator[Tensor]:
    """Infinite batches of indices, in another order every epoch; incomplete batches are dropped."""
    size = min(BATCH, len(indices))
    while True:
        shuffled = indices[torch.randperm(len(indices), generator=draw)]
        yield from shuffled[: len(shuffled) // size * size].view(-1, size)


def _moved(images: Tensor, draw: torch.Generator) -> Tensor:
    """Images `(B, C, H, W)`, each shifted independently; the edge is repeated."""
    count, _, height, width = images.shape
    rows, columns = (_places(count, side, draw).to(images.device) for side in (height, width))
    image = torch.arange(count, device=images.device)[:, None, None]
    return images.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _places(count: int, side: int, draw: torch.Generator) -> Tensor:
    """Where each row (or column) of each image comes from, `(count, side)`."""
    largest = side // SHIFT
    by = torch.randint(-largest, largest + 1, (count, 1), generator=draw)
    return (torch.arange(side) + by).clamp(0, side - 1)


def _scaled(images: Tensor) -> Tensor:
    return (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def _listed(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))
