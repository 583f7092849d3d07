"""Autoencoder discriminators: the score is minus the error with which a sample is reconstructed (EBGAN, BEGAN)."""

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import Concatenate, Join, check_way
from zerosum.networks.layers.basic import Norm, activation, check_size
from zerosum.networks.layers.finish import finished
from zerosum.networks.layers.pyramid import ascend, channels, descend, ladder
from zerosum.networks.layers.virtual import refer_to_samples


class _AutoEncoder(nn.Module):
    def __init__(self, joins: tuple[Join, Join], encoder: nn.Module, decoder: nn.Module, power: int) -> None:
        super().__init__()
        self.enter, self.middle = joins
        self.encoder, self.decoder, self.power = encoder, decoder, power

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        code = self.encoder(self.enter(x, c))
        error = at_least_float32(self.decoder(self.middle(code, c))) - x
        return Judgement(-error.abs().pow(self.power).flatten(1).mean(1), code)


@dataclass(frozen=True)
class AutoEncoderDiscriminator:
    """A discriminator that reconstructs: score = -mean |x - decode(encode(x))|^p over the elements of a sample.

    Images of sides from 8 go through strided and transposed convolutions, vectors through an MLP. The code is returned
    as features.

    Args:
        size: channels after the first halving of an image, doubling up to eight times; hidden units for vectors.
        code: dimensions of the code.
        error: `absolute` (p = 1, BEGAN) or `squared` (p = 2, EBGAN).
        norm: norm between convolutions, see `DCGANDiscriminator`.
        conditioning: the condition is concatenated to the input and to the code.
    """

    size: int = 32
    code: int = 64
    error: Literal["absolute", "squared"] = "absolute"
    norm: Norm = "none"
    conditioning: Concatenate = Concatenate()

    def __post_init__(self) -> None:
        check_size(self.size)
        check_way(self.conditioning, Concatenate)
        if self.code < 1:
            raise ValueError(f"code is a number of dimensions, at least 1; found {self.code}")
        if self.error not in ("absolute", "squared"):
            raise ValueError(f"error is 'absolute' or 'squared'; found {self.error!r}")

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: x `(B, *shape)` to a `Judgement` with scores `(B,)` <= 0."""
        joins = (Join(condition, self.conditioning.size), Join(condition, self.conditioning.size))
        make = self._image_coder if len(shape) == 3 else self._vector_coder
        encoder, decoder = make(shape, joins[0].size)
        network = _AutoEncoder(joins, encoder, decoder, 1 if self.error == "absolute" else 2)
        return finished(network, self.norm, lambda inner: refer_to_samples(inner, shape, condition))

    def _image_coder(self, shape: tuple[int, ...], joined: int) -> tuple[nn.Module, nn.Module]:
        sizes = ladder(shape[1], shape[2])
        bottom = (channels(self.size, len(sizes) - 1)[-1], *sizes[-1])
        encoder = nn.Sequential(
            descend(sizes, shape[0] + joined, self.size, self.norm, "leaky"),
            nn.Flatten(),
            nn.Linear(math.prod(bottom), self.code),
        )
        decoder = nn.Sequential(
            nn.Linear(self.code + joined, math.prod(bottom)),
            nn.Unflatten(1, bottom),
            activation("leaky"),
            ascend(sizes, shape[0], self.size, self.norm, "leaky"),
        )
        return encoder, decoder

    def _vector_coder(self, shape: tuple[int, ...], joined: int) -> tuple[nn.Module, nn.Module]:
        elements, hidden = math.prod(shape), self.size
        encoder = nn.Sequential(nn.Linear(elements + joined, hidden), activation("leaky"), nn.Linear(hidden, self.code))
        decoder = nn.Sequential(nn.Linear(self.code + joined, hidden), activation("leaky"), nn.Linear(hidden, elements))
        return encoder, decoder
