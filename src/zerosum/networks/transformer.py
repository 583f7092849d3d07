"""Transformers as both players: GAT, "Scalable GANs with Transformers", Hyun et al. 2025 (arXiv 2509.24935).

The paper's networks are trained in the latent space of an autoencoder and serve as well on pixels. Two cures make them
scale: images returned at several depths, so that early layers of G are used (`module.levels`), and a learning rate that
falls with the width (`width_scaled`).
"""

__all__ = ["TransformerDiscriminator", "TransformerGenerator"]

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from zerosum.conditions.condition import Condition
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import Concatenate, Head, Join, Projection, check_embedding, check_way, entrance
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.dials import check_dial
from zerosum.networks.layers.pyramid import Sides, ladder
from zerosum.networks.layers.tokens import (
    RMSNorm,
    Rotary,
    SwiGLU,
    TokenAttention,
    grid,
    patch_side,
    patchify,
    position_code,
    rms_normalised,
    unpatchify,
    xavier,
)

LEVELS = 4  # depths at which G returns an image
SLOW = 0.01  # learning rate of the mapping network, as a share of the others'


def token_width(size: int) -> int:
    """Dimensions of a token in a transformer of this size: `size` heads of 64 from size 12 on, of fewer below.

    A head has 16 dimensions for each 3 blocks, at most 64: 16 at size 4, 32 at size 6 to 8, 64 from 12 on.
    """
    return size * min(64, 16 * (size // 3))


def width_scaled(lr: float, size: int) -> float:
    """The learning rate for a transformer of a size, where `lr` is that of width 768, size 12: lr 768 / width.

    A step of Adam moves each output of a layer in proportion to the number of its inputs, so wider networks take
    smaller steps (arXiv 2509.24935, width-aware learning rate). The paper's lr at width 768 is 0.0002.
    """
    return lr * 768 / token_width(size)


def _check_tokens(tokens: int) -> None:
    if tokens < 4:
        raise ValueError(f"tokens counts the squares of an image, at least 4; found {tokens}")


class _SlowLinear(nn.Module):
    """A linear map whose weights are stored 1 / SLOW times as large as they act, so that Adam moves them less."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.xavier_uniform_(self.weight, gain=1 / SLOW)

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight * SLOW, self.bias * SLOW)


class _Style(nn.Module):
    """A scale, or more, of every dimension of a token, as a linear function of w; small at first."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.linear, self.count = nn.Linear(width, count * width), count

    def forward(self, w: Tensor) -> tuple[Tensor, ...]:
        """`count` tensors `(B, 1, width)`."""
        parts: tuple[Tensor, ...] = self.linear(silu(w)).unsqueeze(1).chunk(self.count, dim=2)
        return parts


class _StyledBlock(nn.Module):
    """x + g1 attention((1 + s1) norm(x)), then x + g2 mlp((1 + s2) norm(x)), with s and g set by w."""

    def __init__(self, width: int, heads: int, rotary: Rotary) -> None:
        super().__init__()
        self.attention, self.mlp = TokenAttention(width, heads, rotary), SwiGLU(width)
        self.style = _Style(width, 4)

    def forward(self, x: Tensor, w: Tensor, twice: bool) -> Tensor:
        scale, gate, scale_2, gate_2 = self.style(w)
        x = x + gate * self.attention(rms_normalised(x) * (1 + scale), twice)
        y: Tensor = x + gate_2 * self.mlp(rms_normalised(x) * (1 + scale_2))
        return y


class _Show(nn.Module):
    """The contribution of tokens to the image, `(B, T, outputs)`."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.style, self.linear = _Style(width, 1), nn.Linear(width, outputs)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        shown: Tensor = self.linear(rms_normalised(x) * (1 + self.style(w)[0]))
        return shown


class _Generator(nn.Module):
    def __init__(self, join: Join, size: int, inputs: int, channels: int, sides: Sides, patch: int) -> None:
        super().__init__()
        width, self.patch, self.sides = token_width(size), patch, sides
        tokens = grid(sides, self.patch)
        self.join = join
        self.mapping = nn.Sequential(_SlowLinear(inputs, width), nn.SiLU(), _SlowLinear(width, width))
        self.start = nn.Parameter(position_code(tokens, width))
        self.rotary = Rotary(tokens, width // size)
        self.blocks = nn.ModuleList([_StyledBlock(width, size, self.rotary) for _ in range(size)])
        self.shows = nn.ModuleList([_Show(width, channels * self.patch**2) for _ in range(LEVELS)])
        self.depths = [(level + 1) * size // LEVELS for level in range(LEVELS)]
        xavier(self)
        for module in self.modules():
            if isinstance(module, _Style):
                nn.init.xavier_uniform_(module.linear.weight, gain=0.1)

    def levels(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, ...]:
        """The image as it stands after each quarter of the blocks, float32; the last is G's."""
        w = self.mapping(torch.cat(self._normalised(self.join(z, c), z.shape[1]), dim=1))
        h = self.start.expand(len(z), -1, -1)
        images: list[Tensor] = []
        for depth, block in enumerate(self.blocks, 1):
            h = block(h, w, twice=z.requires_grad)  # for penalties on the gradient by z
            if depth in self.depths:
                shown = unpatchify(at_least_float32(self.shows[len(images)](h, w)), self.patch, self.sides)
                images.append(images[-1] + shown if images else shown)
        return tuple(images)

    @staticmethod
    def _normalised(joined: Tensor, latent: int) -> list[Tensor]:
        """z and the label's embedding, each scaled to a mean square of 1, so that neither drowns the other."""
        return [rms_normalised(part) for part in (joined[:, :latent], joined[:, latent:]) if part.shape[1]]

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        return self.levels(z, c)[-1]


@dataclass(frozen=True)
class TransformerGenerator:
    """A transformer as a generator (GAT), for images of 8x8 and more; its output is linear.

    Learned tokens, one for each square of the image, pass `size` blocks whose scales and gates are set by z and the
    label. At four depths the tokens are mapped to an image, and these are summed: `module.levels(z[, c])` returns the
    four partial sums `(B, C, H, W)`, of which the last is G's image. Squares have side 2, doubled until there are few
    enough; images that these do not divide are cropped.

    Size 12 is the paper's GAT-B: 12 blocks of width 768, whose z has 64 dimensions. Take `width_scaled` as learning
    rate.

    Args:
        size: blocks, and heads in each, at least 4; the width is 64 times that from 12 on (see `token_width`).
        embedding: dimensions of the label embedding that a conditional generator appends to z.
        tokens: squares of an image, at most; a sample costs in proportion to them, and its attention to their square.
    """

    size: int = 6
    embedding: int = 64
    tokens: int = 256

    def __post_init__(self) -> None:
        check_dial(self.size)
        check_embedding(self.embedding)
        _check_tokens(self.tokens)

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z[, c])`: z `(B, latent)` to images `(B, C, H, W)`."""
        channels, height, width = image_shape(shape)
        sides = ladder(height, width)[0]  # for its refusal of sides below 8
        join = Join(condition, self.embedding)
        return _Generator(join, self.size, latent + join.size, channels, sides, patch_side(sides, self.tokens))


class _Block(nn.Module):
    """x + l1 attention(norm(x)), then x + l2 mlp(norm(x)), with learned l that begin at 0.1 (LayerScale)."""

    def __init__(self, width: int, heads: int, rotary: Rotary) -> None:
        super().__init__()
        self.attention, self.mlp = TokenAttention(width, heads, rotary), SwiGLU(width)
        self.norm, self.norm_2 = RMSNorm(width), RMSNorm(width)
        self.scale, self.scale_2 = (nn.Parameter(torch.full((width,), 0.1)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.scale * self.attention(self.norm(x), twice=True)
        y: Tensor = x + self.scale_2 * self.mlp(self.norm_2(x))
        return y


class _Discriminator(nn.Module):
    def __init__(
        self, join: Join, size: int, shape: tuple[int, int, int], levels: int, left: Condition | None, patch: int
    ) -> None:
        super().__init__()
        self.channels, self.levels = shape[0], levels
        sides = shape[1:]
        width, self.patch = token_width(size), patch
        tokens = grid(sides, self.patch)
        self.join = join
        self.embed = nn.Linear((shape[0] * levels + join.size) * self.patch**2, width)
        self.token = nn.Parameter(torch.randn(width) * 0.02)
        self.register_buffer("places", position_code(tokens, width), persistent=False)
        self.places: Tensor
        self.rotary = Rotary(tokens, width // size, before=1)
        self.blocks = nn.Sequential(*[_Block(width, size, self.rotary) for _ in range(size)])
        self.norm, self.head = RMSNorm(width), Head(width, left)
        xavier(self)

    def forward(self, x: Tensor, c: Tensor | None = None) -> Judgement:
        x = x.repeat(1, self.levels, 1, 1) if x.shape[1] == self.channels else x
        h = self.embed(patchify(self.join(x, c), self.patch)) + self.places
        h = self.blocks(torch.cat([self.token.expand(len(h), 1, -1).to(h.dtype), h], dim=1))
        features = self.norm(h[:, 0])
        return self.head.judge(features, c)


@dataclass(frozen=True)
class TransformerDiscriminator:
    """A transformer as a discriminator (GAT), for images of 8x8 and more; its class token is returned as features.

    Squares of the image and a class token pass `size` blocks, whose branches begin scaled by 0.1 (LayerScale, arXiv
    2103.17239); the class token is scored. It can be differentiated twice, at the price of slower attention.

    The paper's D takes the four images of G's levels together, stacked along the channels. With `levels=4`, D takes
    such stacks `(B, 4 C, H, W)`, and a single image `(B, C, H, W)` as four times the same, as the paper does with real
    ones; with `levels=1` each image is scored by itself.

    Args:
        size: blocks, and heads in each, as in `TransformerGenerator`.
        levels: images that are scored together.
        conditioning: how labels enter: `Concatenate` or `Projection`.
        tokens: squares of an image, at most, as in `TransformerGenerator`.
    """

    size: int = 6
    levels: int = 1
    conditioning: Concatenate | Projection = Projection()
    tokens: int = 256

    def __post_init__(self) -> None:
        check_dial(self.size)
        check_way(self.conditioning, Concatenate, Projection)
        if self.levels < 1:
            raise ValueError(f"levels counts the images that D scores together, at least 1; found {self.levels}")
        _check_tokens(self.tokens)

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`D(x[, c])`: images `(B, C, H, W)` to a `Judgement` with scores `(B,)`."""
        channels, height, width = image_shape(shape)
        sides = ladder(height, width)[0]
        join, left = entrance(self.conditioning, condition)
        return _Discriminator(join, self.size, (channels, *sides), self.levels, left, patch_side(sides, self.tokens))
