"""Trained convolutional networks as plain functions of their weights, with batch norms folded into the convolutions.

A network is a function of `find` and an image, and calls `find` for the weights of each convolution. So the same lines
define the computation, the required weights (by a call on the meta device) and the batch norm of each convolution.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Weights = tuple[Tensor, Tensor]  # of a convolution: kernel and bias
Find = Callable[[str, str, tuple[int, ...]], Weights]  # by name: the convolution, its batch norm, the kernel's shape
Network = Callable[[Find, Tensor], Iterable[object]]
_NORM = ("weight", "bias", "running_mean", "running_var")
_COUNTERS = ".num_batches_tracked"


@dataclass(frozen=True)
class Architecture:
    """A convolutional network with a linear head on its pooled features.

    Attributes:
        name: of the network, for messages.
        network: its convolutions.
        side: height and width of the images that it takes.
        epsilon: of its batch norms.
        head: name of the linear layer.
        classes: number of logits.
        features: dimensions of the pooled features.
    """

    name: str
    network: Network
    side: int
    epsilon: float
    head: str
    classes: int
    features: int

    @property
    def head_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the weight and the bias of the head, by name."""
        return {f"{self.head}.weight": (self.classes, self.features), f"{self.head}.bias": (self.classes,)}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all weights, by name."""
        return Sketch(self.network, self.side).shapes | self.head_shapes


class Folded:
    """Trained weights of an architecture, ready for computation.

    Args:
        architecture: of the network.
        state: its weights by name.
        dtype: data type of the convolutions; the head is at least float32.
        device: device of the computation.

    Attributes:
        weights: kernels and biases of the convolutions, batch norms folded into them, by name.
        find: finds these.
        head: weight and bias of the head, by name.
        wide: data type of the pooled features and the head.

    Raises:
        ValueError: for weights of another network.
    """

    def __init__(
        self, architecture: Architecture, state: Mapping[str, Tensor], dtype: torch.dtype, device: torch.device
    ) -> None:
        sketch, head = Sketch(architecture.network, architecture.side), architecture.head_shapes
        check_weights(state, sketch.shapes | head, architecture.name)
        self.wide = torch.float64 if dtype == torch.float64 else torch.float32
        self.weights = folded(state, sketch, architecture.epsilon, dtype, device)
        self.find = finder(self.weights)
        self.head = {name: state[name].to(device, self.wide) for name in head}


class Sketch:
    """A placeholder for the weights of a network that records the requested ones.

    Attributes:
        shapes: of every tensor that the network needs, by name.
        pairs: every convolution with its batch norm.
    """

    def __init__(self, network: Network, side: int) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.pairs: list[tuple[str, str]] = []
        for _ in network(self, torch.empty(1, 3, side, side, device="meta")):
            pass

    def __call__(self, convolution: str, norm: str, shape: tuple[int, ...]) -> Weights:
        self.pairs.append((convolution, norm))
        self.shapes[f"{convolution}.weight"] = shape
        self.shapes |= {f"{norm}.{part}": shape[:1] for part in _NORM}
        return torch.empty(shape, device="meta"), torch.empty(shape[:1], device="meta")


def check_weights(state: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]], network: str) -> None:
    """Raise `ValueError` with the first difference unless a state holds tensors of these names and shapes."""
    found = {name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith(_COUNTERS)}
    for name, shape in shapes.items():
        if found.get(name) != shape:
            raise ValueError(f"weights of {network} hold {name} {shape}; found {found.get(name, 'none of that name')}")
    for name in found.keys() - shapes.keys():
        raise ValueError(f"weights of {network} hold nothing by the name of {name}: these are of another network")


def folded(
    state: Mapping[str, Tensor], sketch: Sketch, epsilon: float, dtype: torch.dtype, device: torch.device
) -> dict[str, Tensor]:
    """Return the weights and biases, by name, of convolutions that include the batch norm behind them.

    w' = w g / sqrt(v + epsilon), b' = b - m g / sqrt(v + epsilon), for the norm's mean m, variance v, gain g, bias b;
    computed in float64 and then converted to dtype and device, kernels in channels last.
    """
    ready: dict[str, Tensor] = {}
    for convolution, norm in sketch.pairs:
        gain, bias, mean, variance = (state[f"{norm}.{part}"].double() for part in _NORM)
        scale = gain / (variance + epsilon).sqrt()
        kernel = (state[f"{convolution}.weight"].double() * scale[:, None, None, None]).to(device, dtype)
        shift = (bias - mean * scale).to(device, dtype)
        ready[f"{convolution}.weight"] = kernel.contiguous(memory_format=torch.channels_last)
        ready[f"{convolution}.bias"] = shift
    return ready


def finder(ready: Mapping[str, Tensor]) -> Find:
    """A `find` for the weights that `folded` returns."""

    def find(convolution: str, *_: object) -> Weights:
        return ready[f"{convolution}.weight"], ready[f"{convolution}.bias"]

    return find
