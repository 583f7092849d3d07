"""Virtual batch norm: Salimans et al. 2016 (arXiv 1606.03498), section 3.5.

A sample is normalised by the statistics of a fixed reference batch and of itself, so that what becomes of it does not
depend on the other samples of its batch. Statistics are those of the current weights, so the network carries the
reference batch through every forward pass, ahead of the samples.
"""

__all__ = ["VirtualBatchNorm"]

from dataclasses import replace

import torch
from torch import Tensor, nn

from zerosum.conditions.condition import Condition
from zerosum.game.distributed import everyone
from zerosum.game.judgement import Judgement
from zerosum.game.precision import at_least_float32

REFERENCE = 64  # samples of a reference batch


class VirtualBatchNorm(nn.Module):
    """Normalise maps whose first `rows` samples are the reference batch; learnt scale and offset for each channel.

    The reference batch is normalised by its own mean and variance, any other sample by those of the reference batch
    and itself, in which it counts as one among rows + 1.

    Args:
        channels: channels of the maps.
        rows: samples of the reference batch.
        eps: added to the variance.
    """

    def __init__(self, channels: int, rows: int = REFERENCE, eps: float = 1e-5) -> None:
        super().__init__()
        self.rows, self.eps = rows, eps
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, h: Tensor) -> Tensor:
        """Maps `(rows + B, channels, H, W)`."""
        wide = at_least_float32(h)
        # Any shift leaves the variance as it is; this one keeps the digits of a difference of two squares.
        shifted = wide - wide[: self.rows].detach().mean((0, 2, 3), keepdim=True)
        mean, square = (self._pooled(moment.mean((2, 3), keepdim=True)) for moment in (shifted, shifted.square()))
        variance = (square - mean.square()).clamp_min(0)
        scale = (variance + self.eps).rsqrt() * self.weight[:, None, None]
        return ((shifted - mean) * scale + self.bias[:, None, None]).to(h.dtype)

    def _pooled(self, moment: Tensor) -> Tensor:
        """Each sample's moment `(rows + B, C, 1, 1)`, pooled with that of the reference batch."""
        reference = moment[: self.rows].mean(0, keepdim=True)
        others = (self.rows * reference + moment[self.rows :]) / (self.rows + 1)
        return torch.cat([reference.expand(self.rows, -1, -1, -1), others])


class Referred(nn.Module):
    """A network with virtual batch norms, and the reference batch that it carries through them.

    The reference is given (a generator's latents), or it is the first batch met in training, that of all ranks, whose
    samples are repeated where they are too few. It lies in buffers, so that checkpoints hold it.

    Args:
        network: the network inside.
        x: the reference batch `(REFERENCE, ...)`; what it holds counts only where it is known.
        c: its condition, or None.
        known: whether the reference is given.
    """

    def __init__(self, network: nn.Module, x: Tensor, c: Tensor | None, known: bool) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("x", x)
        self.register_buffer("c", c)
        self.register_buffer("known", torch.tensor(known))
        self.x: Tensor
        self.c: Tensor | None
        self.known: Tensor
        if not known:
            self.whole_batch = "virtual batch norm takes its reference from the first batch"
        self._asked = known  # once it is known, the buffer need not be read from the device again

    def forward(self, x: Tensor, c: Tensor | None = None) -> Tensor | Judgement:
        """What the network makes of x `(B, ...)`, without what it makes of the reference."""
        if not self._asked:
            self._meet(x, c)
        both = torch.cat([self.x.to(x.dtype), x])
        given = [both] if self.c is None or c is None else [both, torch.cat([self.c, c.to(self.c.dtype)])]
        verdict: Tensor | Judgement = self.network(*given)
        if isinstance(verdict, Tensor):
            return verdict[len(self.x) :]
        parts = {name: part for name, part in vars(verdict).items() if part is not None and name != "maps"}
        maps = tuple(part[len(self.x) :] for part in verdict.maps)
        return replace(verdict, maps=maps, **{name: part[len(self.x) :] for name, part in parts.items()})

    @torch.no_grad()
    def _meet(self, x: Tensor, c: Tensor | None) -> None:
        if not bool(self.known):
            if not self.training:
                raise ValueError("virtual batch norm has no reference batch yet: it is the first one met in training")
            for kept, met in ((self.x, x), (self.c, c)):
                if kept is not None and met is not None:
                    (every,) = everyone([met])
                    kept.copy_(every[torch.arange(len(kept), device=every.device) % len(every)])
            self.known.fill_(True)
        self._asked = True


def refer_to_latents(network: nn.Module, latent: int, condition: Condition | None) -> Referred:
    """A generator whose reference is drawn here: standard normal latents, and conditions of all kinds."""
    return Referred(network, torch.randn(REFERENCE, latent), _conditions(condition), known=True)


def refer_to_samples(network: nn.Module, shape: tuple[int, ...], condition: Condition | None) -> Referred:
    """A discriminator whose reference is the first batch that it meets in training: in a game, of real samples."""
    return Referred(network, torch.zeros(REFERENCE, *shape), _conditions(condition), known=False)


def _conditions(condition: Condition | None) -> Tensor | None:
    if condition is None:
        return None
    with torch.device("cpu"):
        return condition.encode(condition.values(REFERENCE))
