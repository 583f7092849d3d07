"""Score translations without pairs, where the true counterpart of each held-out image is known and was not used.

Three scores: the mean absolute error to the counterpart; how often the counterpart is the nearest of all held-out
images of the target, by the features of a convolutional network with random weights (`random-conv`); and the share that
a classifier of the two domains, trained on real images alone, takes for the target.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from zerosum.data.dataset import Dataset, Source
from zerosum.data.held_out import part_of
from zerosum.data.pairs.unpaired import Unpaired
from zerosum.features.random_conv import RandomConv
from zerosum.runs.generator import TrainedGenerator

HEAD = "| application | method | error to the counterpart | counterpart found | taken for the target | processor s |"
HEAD += "\n" + "| --- " * 6 + "|"
RADII = (0.5, 1.0, 1.5, 2.0, 3.0)  # standard deviations of the blur, of which the best is taken
STEPS, BATCH = 400, 64  # of the classifier
Pixels = np.ndarray  # uint8 (N, H, W, C)


@dataclass(frozen=True)
class Domains:
    """Held-out images of two domains, of which those of one index are counterparts; and training images of both."""

    a: Pixels
    b: Pixels
    train_a: Pixels
    train_b: Pixels

    @property
    def back(self) -> "Domains":
        """The same for the way back."""
        return Domains(self.b, self.a, self.train_b, self.train_a)


def domains(data: Source) -> Domains:
    """The domains of `Unpaired(a, b)` whose sources show the same originals; raises `ValueError` for other data."""
    if not isinstance(data, Unpaired):
        raise ValueError(f"translations are scored on Unpaired(a, b); found {data!r}")
    a, b = data.a.open(), data.b.open()
    if [a.named(i) for i in range(len(a))] != [b.named(i) for i in range(len(b))]:
        raise ValueError(f"{a.name} and {b.name} have different samples, so counterparts are not known")
    return Domains(*(pixels(part_of(one, part)) for part in ("test", "train") for one in (a, b)))


def pixels(dataset: Dataset) -> Pixels:
    """All samples."""
    found: Pixels = dataset.read(torch.arange(len(dataset))).permute(0, 2, 3, 1).contiguous().numpy()
    return found


def blurred(images: Pixels, radius: float) -> Pixels:
    """Images after a Gaussian blur."""
    made = [Image.fromarray(one.squeeze()).filter(ImageFilter.GaussianBlur(radius)) for one in images]
    return np.stack([np.asarray(one).reshape(images.shape[1:]) for one in made])


def adapted(images: Pixels, target: Pixels) -> Pixels:
    """Images after the affine map of values that gives each channel the mean and standard deviation of a target's."""
    scale = target.std((0, 1, 2)) / images.std((0, 1, 2))
    mapped = (images - images.mean((0, 1, 2))) * scale + target.mean((0, 1, 2))
    found: Pixels = mapped.round().clip(0, 255).astype(np.uint8)
    return found


def error(made: Pixels, truth: Pixels) -> float:
    """Mean absolute difference, in units of the range of values."""
    return float(np.abs(made.astype(float) - truth).mean() / 255)


def found(made: Pixels, truth: Pixels) -> float:
    """The share of images whose counterpart is the nearest of all, by the cosine of features."""
    one, other = (normalize(features(images)) for images in (made, truth))
    return float(((one @ other.T).argmax(1) == torch.arange(len(one))).double().mean())


def features(images: Pixels) -> Tensor:
    """Features of a network with random weights, centred by what the images of a set share."""
    rows = torch.cat([RandomConv()(part).features for part in torch.from_numpy(images).split(500)]).double()
    return rows - rows.mean(0)


def classifier(a: Pixels, b: Pixels) -> nn.Module:
    """A network whose logit is above 0 for images of b, trained on real images of both.

    It sees standardised images, so that brightness and contrast alone decide nothing.
    """
    draw = torch.Generator().manual_seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        widths = (a.shape[3], 16, 32, 64)
        layers = [
            layer for fan_in, fan_out in pairwise(widths) for layer in (nn.Conv2d(fan_in, fan_out, 3, 2, 1), nn.ReLU())
        ]
        network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 1))
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(STEPS):
        some = [standardised(one[torch.randint(len(one), (BATCH // 2,), generator=draw).numpy()]) for one in (a, b)]
        target = torch.tensor([[0.0], [1.0]]).repeat_interleave(BATCH // 2, 0)
        loss = binary_cross_entropy_with_logits(network(torch.cat(some)), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


@torch.no_grad()
def taken(network: nn.Module, images: Pixels) -> float:
    """The share of images that the classifier takes for the target."""
    return float((torch.cat([network(part) for part in standardised(images).split(500)]) > 0).double().mean())


def standardised(images: Pixels) -> Tensor:
    """Images `(N, C, H, W)`, float32, each of mean 0 and standard deviation 1 (0 where it is of one value)."""
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    x = x - x.mean((1, 2, 3), keepdim=True)
    return x / x.std((1, 2, 3), keepdim=True).clamp(min=1)


def translated(generator: TrainedGenerator, images: Pixels) -> Pixels:
    """What a generator makes of images."""
    return generator.sample(len(images), conditions=images)


def rows(name: str, made: Mapping[str, Pixels], images: Domains, spent: str) -> list[str]:
    """The rows of the outputs of some methods, and of trivial ones beside them."""
    best = min((blurred(images.a, radius) for radius in RADII), key=lambda one: error(one, images.b))
    further = {
        "identity": images.a,
        "identity, mean and contrast of the target": adapted(images.a, images.train_b),
        "blurred identity, the best radius": best,
        "another image of the target": np.roll(images.b, len(images.b) // 2, 0),
        "the counterpart, shifted by a pixel": np.roll(images.b, 1, 2),
        "the counterpart": images.b,
    }
    judge = classifier(images.train_a, images.train_b)
    lines = []
    for method, one in {**made, **further}.items():
        scores = f"{error(one, images.b):.4f} | {found(one, images.b):.1%} | {taken(judge, one):.1%}"
        lines.append(f"| {name} | {method} | {scores} | {spent if method in made else ''} |")
    return lines
