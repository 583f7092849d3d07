"""Made-up weights: implementations of a network can be compared without its published weights, which are large."""

import math
import zlib

import torch
from torch import Tensor

from zerosum.features._fid_network import INCEPTION
from zerosum.features._lite_network import LITE0


def made_up(name: str, shape: tuple[int, ...]) -> Tensor:
    """Return random values that depend on the name only, scaled so that the activations of a network stay bounded.

    Kernels have variance 2 / fan-in; of a batch norm, variances lie in 1..1.2 and gains about 1.
    """
    draw = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    if not shape:
        return torch.tensor(0)
    if "running_var" in name:
        return 1 + 0.2 * torch.rand(shape, generator=draw)
    normal = torch.randn(shape, generator=draw)
    if len(shape) == 4:
        return normal * math.sqrt(2 / math.prod(shape[1:]))
    if len(shape) == 1 and name.endswith("weight"):
        return 1 + 0.1 * normal
    return normal * (0.1 if "bn" in name else 0.02)


def inception_weights() -> dict[str, Tensor]:
    """Return made-up weights of Inception, under the names of the public file."""
    shapes = INCEPTION.shapes
    counters = {name.replace("running_var", "num_batches_tracked"): () for name in shapes if "running_var" in name}
    return {name: made_up(name, shape) for name, shape in (shapes | counters).items()}


def lite0_weights() -> dict[str, Tensor]:
    """Return made-up weights of EfficientNet-Lite0, under the names of its file."""
    return {name: made_up(name, shape) for name, shape in LITE0.shapes.items()}
