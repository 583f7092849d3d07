"""A generator of texts, character by character."""

__all__ = ["TextGenerator"]

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from zerosum.conditions.condition import Condition
from zerosum.game.precision import at_least_float32
from zerosum.networks.layers.basic import check_size


class _Generator(nn.Module):
    """A recurrent model of texts, and its samples as a function of Gumbel noise."""

    def __init__(self, symbols: int, length: int, size: int, temperature: float) -> None:
        super().__init__()
        self.symbols, self.length, self.temperature = symbols, length, temperature
        self.recurrent, self.head = nn.GRU(symbols, size, batch_first=True), nn.Linear(size, symbols)
        self.start = nn.Parameter(torch.zeros(size))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        state = self._start(len(z))
        x = z.new_zeros(len(z), self.symbols)
        made = []
        for noise in z.view(-1, self.length, self.symbols).unbind(1):
            output, state = self.recurrent(x[:, None], state)
            score = self.head(output[:, 0]) + noise
            soft = (score / self.temperature).softmax(1)
            x = one_hot(score.argmax(1), self.symbols) + (soft - soft.detach())
            made.append(x)
        return torch.stack(made, 2)[:, :, None]

    def log_likelihood(self, x: Tensor) -> Tensor:
        """The log-probability of texts `(B, V, 1, L)`, `(B,)`."""
        x = x.flatten(2).transpose(1, 2)
        before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
        output, _ = self.recurrent(before, self._start(len(x)))
        return (x * at_least_float32(self.head(output)).log_softmax(2)).sum((1, 2))

    def _start(self, count: int) -> Tensor:
        return self.start.expand(1, count, -1).contiguous()


@dataclass(frozen=True)
class TextGenerator:
    """A recurrent network that draws a text character by character, by straight-through Gumbel-softmax.

    A GRU gives the scores s of the next symbol, given those before. With Gumbel noise g, the symbol is the largest of
    s + g, which has the probabilities softmax(s); the gradient is that of softmax((s + g) / temperature): Jang et al.
    2017 (arXiv 1611.01144), section 2.2. All noise is the latent, `Gumbel(V L)` for texts of L characters and V
    symbols, so a sample is a function of z, and a smaller `Gumbel.scale` samples at a lower temperature. It has a
    likelihood, so the same network may be trained by `MaximumLikelihood`.

    Args:
        size: width of the GRU.
        temperature: of the gradient (> 0).
    """

    size: int = 128
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_size(self.size)
        if not self.temperature > 0:
            raise ValueError(f"temperature is that of a softmax, above 0; found {self.temperature}")

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z)`: z `(B, V L)` to texts `(B, V, 1, L)`; raises `ValueError` for other sizes, and under a condition."""
        if len(shape) != 3 or shape[1] != 1:
            raise ValueError(f"TextGenerator makes texts (V, 1, L), as of Lines; found samples of {shape}")
        if condition is not None:
            raise ValueError("TextGenerator takes no condition: set conditional=False")
        if latent != shape[0] * shape[2]:
            raise ValueError(
                f"TextGenerator takes noise for each of {shape[0]} symbols at each of {shape[2]} places: set "
                f"latent=Gumbel({shape[0] * shape[2]}); found {latent} dimensions"
            )
        return _Generator(shape[0], shape[2], self.size, self.temperature)
