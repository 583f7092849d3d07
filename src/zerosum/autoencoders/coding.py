"""Encoding of images as latents of an autoencoder, and decoding."""

__all__ = ["Autoencoder", "LatentCoding"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from zerosum.protocols import Autoencoder

_AT_ONCE = 64  # batch size of decoding


class ConvolutionalAutoencoder(nn.Module):
    """A plain convolutional autoencoder of images of one shape.

    Every halving folds squares of 2x2 pixels into channels, and two convolutions follow; the decoder mirrors it.
    Latents are `(channels, H / f, W / f)` with f = 2^halvings; heights and widths that f does not divide are padded by
    their last row and column, and cropped after decoding.

    Args:
        shape: shape of an image, `(C, H, W)`.
        size: channels after the first halving, twice as many after the second, four times after more.
        channels: channels of the latents.
        halvings: how often height and width are halved.

    Raises:
        ValueError: for a number below 1.
    """

    def __init__(self, shape: tuple[int, ...], size: int, channels: int, halvings: int) -> None:
        super().__init__()
        self.shape, self.size, self.channels, self.halvings = tuple(shape), size, channels, halvings
        for name, value in (("size", size), ("channels", channels), ("halvings", halvings)):
            if value < 1:
                raise ValueError(f"an autoencoder's {name} is at least 1; found {value}")
        widths = [size * min(2**stage, 4) for stage in range(halvings)]
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for finer, width in zip([self.shape[0], *widths], widths, strict=False):
            down += [nn.PixelUnshuffle(2), _conv(4 * finer, width), nn.SiLU(), _conv(width, width), nn.SiLU()]
            up = [nn.SiLU(), _conv(width, width), nn.SiLU(), _conv(width, 4 * finer), nn.PixelShuffle(2), *up]
        self.down = nn.Sequential(*down, _conv(widths[-1], channels))
        self.up = nn.Sequential(_conv(channels, widths[-1]), *up)

    @property
    def facts(self) -> dict[str, Any]:
        """Its constructor arguments, JSON-serialisable."""
        return {"shape": self.shape, "size": self.size, "channels": self.channels, "halvings": self.halvings}

    @staticmethod
    def restored(facts: Mapping[str, Any], weights: Mapping[str, Tensor]) -> "ConvolutionalAutoencoder":
        """The autoencoder with these facts and weights, frozen; raises `ValueError` if they do not fit."""
        unfit = ValueError(f"the weights do not fit an autoencoder of {dict(facts)!a:.200}")
        if not isinstance(facts.get("halvings"), int) or facts["halvings"] > len(weights):
            raise unfit
        with torch.device("meta"):  # where nothing is allocated, whatever sizes the facts name
            made = ConvolutionalAutoencoder(**facts)
        own = made.state_dict()
        if {name: (t.shape, t.dtype) for name, t in own.items()} != {n: (t.shape, t.dtype) for n, t in weights.items()}:
            raise unfit
        made.load_state_dict(dict(weights), assign=True)
        return made.eval().requires_grad_(False)

    def encode(self, x: Tensor) -> Tensor:
        """Images `(B, C, H, W)` in [-1, 1] to latents `(B, channels, h, w)`."""
        f = 2**self.halvings
        latents: Tensor = self.down(pad(x, (0, -x.shape[3] % f, 0, -x.shape[2] % f), mode="replicate"))
        return latents

    def decode(self, latents: Tensor) -> Tensor:
        """Latents `(B, channels, h, w)` to images `(B, C, H, W)`."""
        x: Tensor = self.up(latents)[:, :, : self.shape[1], : self.shape[2]]
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions."""
        return self.decode(self.encode(x))


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


@dataclass(frozen=True, eq=False)
class LatentCoding:
    """Decodes latents that are scaled to mean 0 and standard deviation 1 in each channel.

    Attributes:
        autoencoder: the encoder and decoder.
        mean: mean of each latent channel over the data, float32 `(c,)`.
        std: standard deviation of each latent channel over the data, float32 `(c,)`, above 0.
    """

    autoencoder: Autoencoder
    mean: Tensor
    std: Tensor

    def decode(self, latents: Tensor) -> Tensor:
        """Scaled latents `(N, c, h, w)` to images `(N, C, H, W)`, float32 on the CPU; differentiable where they are."""
        raw = latents.cpu() * self.std.view(-1, 1, 1) + self.mean.view(-1, 1, 1)
        with torch.set_grad_enabled(raw.requires_grad):
            return torch.cat([self.autoencoder.decode(block).float().cpu() for block in torch.split(raw, _AT_ONCE)])

    @property
    def facts(self) -> dict[str, Any]:
        """Its JSON-serialisable state, without tensors."""
        if isinstance(self.autoencoder, ConvolutionalAutoencoder):
            return {"autoencoder": self.autoencoder.facts}
        return {"given": type(self.autoencoder).__name__}

    def state_dict(self) -> dict[str, Tensor]:
        """Mean and standard deviation, and the weights of a `ConvolutionalAutoencoder`."""
        own = self.autoencoder
        weights = own.state_dict() if isinstance(own, ConvolutionalAutoencoder) else {}
        named = {f"autoencoder.{name}": tensor for name, tensor in weights.items()}
        return {"mean": self.mean, "std": self.std, **named}

    @staticmethod
    def restored(
        facts: Mapping[str, Any], state: Mapping[str, Tensor], given: Autoencoder | None = None
    ) -> "LatentCoding":
        """The coding with these facts and state; `given` is required if its autoencoder was passed in Python.

        Raises `ValueError` if it is missing.
        """
        autoencoder = given
        if "autoencoder" in facts:
            weights = {name.partition(".")[2]: t for name, t in state.items() if name.startswith("autoencoder.")}
            autoencoder = ConvolutionalAutoencoder.restored(facts["autoencoder"], weights)
        if autoencoder is None:
            raise ValueError(
                f"this run's autoencoder ({facts['given']}) was given in Python: "
                "pass it again, as load(..., autoencoder=...)"
            )
        return LatentCoding(autoencoder, state["mean"], state["std"])
