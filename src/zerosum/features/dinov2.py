"""DINOv2: features of a self-supervised network."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from zerosum._disk import file_hash
from zerosum.features._images import colours
from zerosum.features._naming import ExtractorOptions
from zerosum.features._networks import format_name, in_blocks, network_facts
from zerosum.features._resize import BICUBIC, bicubic
from zerosum.features.extractor import Features
from zerosum.features.feature_network import FeatureNetwork

SIDE = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels, 0 to 1
USUAL, FILE = "facebook/dinov2-large", "model.safetensors"


class DinoV2:
    """DINOv2 (Oquab et al. 2023, arXiv 2304.07193) through the package transformers: `zerosum[features]`.

    Stein et al. 2023 (arXiv 2306.04675) find its distances closer to human perception than Inception's. Images of any
    height and width are resized to 224x224 (antialiased bicubic), grey ones count as r = g = b, and pixels are
    normalised by ImageNet's mean and standard deviation. The features are the class token after the last norm. It has
    no logits.

    Args:
        model: a name on the Hugging Face hub, or a folder written by `save_pretrained`; only safetensors are read.
            The large model, with 1,024 features, is that of the paper; `facebook/dinov2-small` is 14 times smaller.
        dtype: data type of the computation: float32, bfloat16 or float64.
        device: device of the computation.

    Raises:
        ValueError: if transformers is not installed, or the model is not available or of another kind.
    """

    name = "dinov2"

    def __init__(
        self, model: str = USUAL, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> None:
        self.dtype, self.device = dtype, torch.device(device)
        format_name(dtype)
        try:
            from transformers import Dinov2Model
            from transformers.utils import cached_file
        except ImportError as error:
            raise ValueError("dinov2 needs the package transformers: pip install 'zerosum[features]'") from error
        try:
            self._hash = file_hash(Path(cached_file(model, FILE)))
            network, info = Dinov2Model.from_pretrained(model, use_safetensors=True, output_loading_info=True)
        except (OSError, RuntimeError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f"DINOv2 cannot be had from {model!r} ({reason}): where there is no network, bring the model's folder "
                f"from a machine that has one, and name it: dinov2:FOLDER"
            ) from error
        if info["missing_keys"]:
            missing = min(info["missing_keys"])
            raise ValueError(f"{model!r} should hold the weights of a DINOv2; it has none for {missing}")
        self._network = network.eval().requires_grad_(False).to(self.device, dtype)

    @classmethod
    def named(cls, options: ExtractorOptions) -> "DinoV2":
        """Return the one that `dinov2` names, the large model, or `dinov2:MODEL` or `dinov2:FOLDER`."""
        return cls(options.argument or USUAL, options.dtype, options.device)

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts for the protocol of a score; `weights` is the sha256 of the file."""
        resize, dimensions = f"{BICUBIC} to {SIDE}x{SIDE}", self._network.config.hidden_size
        return network_facts(self.name, self._hash, resize, self.dtype, dimensions)

    def __call__(self, images: Tensor) -> Features:
        """Return the features of uint8 images `(B, H, W, C)`, `(B, d)`."""
        return Features(torch.cat(in_blocks(images, self.device, self._read)))

    def module(self, side: int | None = None) -> FeatureNetwork:
        """Return the network as a module with gradients to its input; its map is that of the patches.

        Images are resized to a side, a multiple of 14, by default 224, of which the map is 16x16.
        """
        return FeatureNetwork(partial(_see, self._network, side or SIDE), {**self._network.state_dict()})

    def _read(self, images: Tensor) -> Tensor:
        x = _scaled(colours(images, self.device), SIDE)
        tokens: Tensor = self._network(pixel_values=x.to(self.dtype)).last_hidden_state
        return tokens[:, 0].float().cpu()


def _scaled(x: Tensor, side: int) -> Tensor:
    """Images `(B, 3, H, W)` in 0..255, resized and scaled for the network."""
    mean, std = (torch.tensor(values, device=x.device)[:, None, None] for values in (MEAN, STD))
    return (bicubic(x, side) / 255 - mean) / std


def _see(network: nn.Module, side: int, x: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    x = _scaled(x.expand(-1, 3, -1, -1), side)
    found = torch.func.functional_call(network, dict(weights), kwargs={"pixel_values": x})
    tokens: Tensor = found.last_hidden_state
    width = int((tokens.shape[1] - 1) ** 0.5)
    return tokens[:, 1:].mT.reshape(len(x), -1, width, width), tokens[:, 0]
