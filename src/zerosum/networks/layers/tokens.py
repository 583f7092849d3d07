"""Images as tokens, and the layers of a transformer on them. Tokens are `(B, T, width)`."""

__all__ = ["RMSNorm", "Rotary", "SwiGLU", "TokenAttention", "patchify", "unpatchify"]

import math
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import pad, pixel_shuffle, pixel_unshuffle, scaled_dot_product_attention, silu

from zerosum.game.precision import at_least_float32
from zerosum.networks.layers.pyramid import Sides

BASE = 10_000.0  # wave lengths of positions run from 2 pi to 2 pi times this


def patchify(x: Tensor, patch: int) -> Tensor:
    """Images `(B, C, H, W)` as tokens of squares `(B, T, C patch^2)`; sides that do not divide end in zeros."""
    height, width = x.shape[2:]
    squares = pixel_unshuffle(pad(x, (0, -width % patch, 0, -height % patch)), patch)
    return squares.flatten(2).transpose(1, 2)


def unpatchify(tokens: Tensor, patch: int, sides: Sides) -> Tensor:
    """Images `(B, C, *sides)` of tokens `(B, T, C patch^2)`: `patchify` undone."""
    rows, columns = grid(sides, patch)
    maps = tokens.transpose(1, 2).reshape(len(tokens), -1, rows, columns)
    return pixel_shuffle(maps, patch)[:, :, : sides[0], : sides[1]]


def grid(sides: Sides, patch: int) -> Sides:
    """Tokens down and across."""
    return (-(-sides[0] // patch), -(-sides[1] // patch))


def _places(tokens: Sides) -> Tensor:
    """Row and column of each token, float32 `(2, T)`."""
    rows, columns = torch.meshgrid(*(torch.arange(float(n)) for n in tokens), indexing="ij")
    return torch.stack([rows.flatten(), columns.flatten()])


def _angles(tokens: Sides, count: int) -> Tensor:
    """Angles `(T, 2 count)` of the rows, then of the columns, at `count` frequencies from 1 down to 1 / BASE."""
    frequencies = BASE ** (-torch.arange(float(count)) / count)
    return (_places(tokens)[:, :, None] * frequencies).permute(1, 0, 2).flatten(1)


def position_code(tokens: Sides, width: int) -> Tensor:
    """Sines and cosines of each token's row and column, `(T, width)`; a width is a multiple of four."""
    angles = _angles(tokens, width // 4)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Rotary(nn.Module):
    """Rotate pairs of dimensions by angles of the token's place: Su et al. 2021 (arXiv 2104.09864), for two dimensions.

    A product of two rotated vectors depends on their distance alone. Tokens before the grid (a class token) stay.

    Args:
        tokens: tokens down and across.
        head: dimensions of a head, a multiple of four.
        before: tokens before those of the grid.
    """

    def __init__(self, tokens: Sides, head: int, before: int = 0) -> None:
        super().__init__()
        angles = torch.cat([torch.zeros(before, head // 2), _angles(tokens, head // 4)])
        self.register_buffer("cosines", angles.cos(), persistent=False)
        self.register_buffer("sines", angles.sin(), persistent=False)
        self.cosines: Tensor
        self.sines: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """x `(B, heads, T, head)`, rotated."""
        first, second = x.chunk(2, dim=-1)
        turned = (first * self.cosines - second * self.sines, first * self.sines + second * self.cosines)
        return torch.cat(turned, dim=-1).to(x.dtype)


def rms_normalised(x: Tensor) -> Tensor:
    """Vectors scaled to a mean square of 1, at least in float32."""
    wide = at_least_float32(x)
    return wide * (wide.square().mean(-1, keepdim=True) + 1e-6).rsqrt()


class RMSNorm(nn.Module):
    """Vectors scaled to a mean square of 1, then by a learned gain: Zhang and Sennrich 2019 (arXiv 1910.07467).

    Written out, since the fused one cannot be differentiated twice everywhere.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """`(..., width)`."""
        return rms_normalised(x) * self.gain


class TokenAttention(nn.Module):
    """Attention of all tokens to all, with normalised queries and keys (arXiv 2302.05442) that know their place.

    PyTorch's fast kernels of attention can be differentiated once. Where a call says `twice`, as gradient penalties
    need it, the plain kernel serves; without gradients the fast ones always do.

    Args:
        width: dimensions of a token.
        heads: how many heads share them.
        rotary: where tokens stand.
    """

    def __init__(self, width: int, heads: int, rotary: Rotary) -> None:
        super().__init__()
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.query_norm, self.key_norm = RMSNorm(width // heads), RMSNorm(width // heads)
        self.heads, self.rotary = heads, rotary

    def forward(self, x: Tensor, twice: bool) -> Tensor:
        """Tokens `(B, T, width)`; `twice` says whether the result must be differentiable twice."""
        query, key, value = self.project(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key = self.rotary(self.query_norm(query)), self.rotary(self.key_norm(key))
        plain = twice and torch.is_grad_enabled()
        with sdpa_kernel([SDPBackend.MATH]) if plain else nullcontext():
            mixed = scaled_dot_product_attention(query.to(value.dtype), key.to(value.dtype), value)
        attended: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return attended


class SwiGLU(nn.Module):
    """W3 (silu(W1 x) * W2 x), with as many weights as an MLP of four times the width: arXiv 2002.05202."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = 8 * width // 3
        self.enter, self.leave = nn.Linear(width, 2 * hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens `(B, T, width)`."""
        gate, value = self.enter(x).chunk(2, dim=-1)
        y: Tensor = self.leave(silu(gate) * value)
        return y


def xavier(module: nn.Module) -> None:
    """Xavier's uniform weights and no bias in every linear layer (Glorot and Bengio 2010)."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)


def patch_side(sides: Sides, tokens: int = 256) -> int:
    """Side of a token's square: 2, doubled until there are at most `tokens` tokens."""
    patch = 2
    while math.prod(grid(sides, patch)) > tokens:
        patch *= 2
    return patch
