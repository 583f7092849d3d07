"""Made-up weights: implementations of a network can be compared without its published weights, which are large."""

import math
import zlib

import torch
from torch import Tensor

from zerosum.features._fid_network import INCEPTION
from zerosum.features._lite_network import LITE0
from zerosum.features._trunk_networks import Trunk


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


def trunk_weights(trunk: Trunk) -> dict[str, Tensor]:
    """Return made-up weights of VGG16 or AlexNet, under the names of its file, with the file's blur and scaling."""
    found = {name: made_up(name, shape) for name, shape in trunk.shapes.items()}
    row = torch.tensor([0.25, 0.5, 0.25])
    fixed = {"filt": torch.outer(row, row), "shift": torch.tensor(-0.1), "scale": torch.tensor(0.45)}
    for name, tensor in found.items():
        if name.startswith("lin"):
            found[name] = tensor.abs()
        elif (part := name.rpartition(".")[2]) in fixed:
            found[name] = fixed[part].expand(tensor.shape).clone()
    return found
