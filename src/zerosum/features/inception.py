"""Inception: the features of FID, KID and the Inception Score."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from zerosum.features._fid_network import CLASSES, INCEPTION, SIDE, STAGES, fid_network
from zerosum.features._folding import Folded, finder
from zerosum.features._images import colours
from zerosum.features._naming import ExtractorOptions
from zerosum.features._networks import format_name, in_blocks, network_facts
from zerosum.features._resize import TENSORFLOW_1, tensorflow_bilinear
from zerosum.features._weights import Progress, PublicFile, found_or_fetched, loaded_weights
from zerosum.features.extractor import Features
from zerosum.features.feature_network import FeatureNetwork

LAYERS = (*STAGES, "logits_unbiased", "logits")
_LEAST = 75  # height and width whose last map is 1x1
EARLY = ("64", "192", "768")  # the network ends there: no logits
WEIGHTS = PublicFile(
    "Inception weights",
    "weights-inception-2015-12-05-6726825d.pth",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    95_628_359,
    ("pt_inception-2015-12-05-6726825d.pth",),
)


class Inception:
    """InceptionV3 of the TensorFlow graph with which FID was defined (Heusel et al. 2017, arXiv 1706.08500).

    Images of any height and width are resized to 299x299 as TensorFlow 1 did, grey ones count as r = g = b, and (x -
    128) / 128 goes in. Scores compare with those of papers only with the public weights, whose sha256 is then among the
    facts.

    Args:
        weights: a weight file; tensors by name; or None for the public file, which is searched in the cache folder and
        in
            that of torch.hub, or downloaded (96 MB), and verified.
        layer: which features: `64`, `192`, `768` or `2048` (the mean over the map behind that stage), `logits_unbiased`
            or `logits`. Up to `768` the network stops there, and returns no logits.
        dtype: data type of the computation: float32, or bfloat16, which is faster and shifts scores, or float64.
        device: device of the computation.
        progress: called with the bytes downloaded and the total while weights are downloaded.

    Raises:
        ValueError: for missing weights, weights of another network or hash, or another layer or data type.
    """

    name = "inception"

    def __init__(
        self,
        weights: Path | str | Mapping[str, Tensor] | None = None,
        layer: str = "2048",
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        progress: Progress | None = None,
    ) -> None:
        if layer not in LAYERS:
            raise ValueError(f"Inception has the layers {', '.join(LAYERS)}; found {layer!r}")
        self.layer, self.dtype, self.device = layer, dtype, torch.device(device)
        format_name(dtype)
        state, self._hash = loaded_weights(weights, lambda: found_or_fetched(WEIGHTS, progress), WEIGHTS)
        self._network = Folded(INCEPTION, state, dtype, self.device)

    @classmethod
    def named(cls, options: ExtractorOptions) -> "Inception":
        """Return the one that `inception` names, of the public weights, or `inception:FILE`."""
        return cls(options.argument or None, dtype=options.dtype, device=options.device, progress=options.progress)

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts for the protocol of a score; `weights` is the sha256 of the file."""
        resize, dimensions = f"{TENSORFLOW_1} to {SIDE}x{SIDE}", STAGES.get(self.layer, CLASSES)
        logits = "none" if self.layer in EARLY else "unbiased"
        shared = network_facts(self.name, self._hash, resize, self.dtype, dimensions)
        return shared | {"layer": self.layer, "logits": logits}

    def __call__(self, images: Tensor) -> Features:
        """Return the features of uint8 images `(B, H, W, C)`, `(B, d)`, and the logits without bias, `(B, 1008)`."""
        last = self.layer if self.layer in EARLY else LAYERS[-1]
        blocks = in_blocks(images, self.device, lambda some: dict(self._layers(some, last)), self.dtype)
        features = torch.cat([block[self.layer] for block in blocks])
        if self.layer in EARLY:
            return Features(features)
        return Features(features, torch.cat([block["logits_unbiased"] for block in blocks]))

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """Return the features at every layer, by its name, each `(B, d)`."""
        blocks = in_blocks(images, self.device, lambda some: dict(self._layers(some, LAYERS[-1])), self.dtype)
        return {layer: torch.cat([block[layer] for block in blocks]) for layer in LAYERS}

    def module(self, side: int | None = None) -> FeatureNetwork:
        """Return the network as a module with gradients to its input: the maps behind its stages, and the features.

        The features are those of `layer`, as in a score, or the logits. Images are resized to a side, by default 299.
        Raises `ValueError` for a side below 75, of which nothing is left behind the last stage.
        """
        if side is not None and side < _LEAST:
            raise ValueError(f"Inception reads images of {_LEAST}x{_LEAST} and more; found side={side}")
        return FeatureNetwork(partial(_see, self.layer, side or SIDE), self._network.weights | self._network.head)

    def _layers(self, images: Tensor, last: str) -> Iterator[tuple[str, Tensor]]:
        """The layers of a few images, one after another; maps beyond the last one wanted are not computed."""
        wide = self._network.wide
        x = _scaled(colours(images, self.device).to(wide), SIDE).to(self.dtype, memory_format=torch.channels_last)
        for layer, found in fid_network(self._network.find, x):
            x = found.mean((2, 3), dtype=wide)
            yield layer, x.float().cpu()
            if layer == last:
                return
        weight, bias = self._network.head.values()
        unbiased = x @ weight.T
        yield "logits_unbiased", unbiased.float().cpu()
        yield "logits", (unbiased + bias).float().cpu()


def _scaled(x: Tensor, side: int) -> Tensor:
    """Images `(B, 3, H, W)` in 0..255, resized and scaled for the network."""
    x = (x - 128) / 128
    return x if x.shape[2:] == (side, side) else tensorflow_bilinear(x, side)


def _see(layer: str, side: int, x: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    maps: list[Tensor] = []
    for name, found in fid_network(finder(weights), _scaled(x.expand(-1, 3, -1, -1), side)):
        maps.append(found)
        if name == layer:
            break
    features = maps[-1].mean((2, 3))
    if layer in STAGES:
        return *maps, features
    unbiased = features @ weights["fc.weight"].to(features).T
    return *maps, unbiased + weights["fc.bias"].to(features) if layer == "logits" else unbiased
