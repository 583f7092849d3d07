"""Batch norms whose batch is that of all ranks."""

__all__ = ()

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from zerosum.game.distributed import everyone, ranks
from zerosum.game.precision import at_least_float32


class _SharedBatchNorm(_BatchNorm):
    """A batch norm whose mean and variance, in training, are those of the samples of all ranks.

    One exchange a pass: each rank sends its own mean and variance, of as many samples as every other's, and the whole's
    are made of these. Gradients pass through them, any number of times, so that a gradient penalty on one rank's
    samples includes their effect on all scores. torch's `SyncBatchNorm` cannot be differentiated twice, and is for GPUs
    alone.
    """

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002  torch's name
        """Accepts maps and vectors."""

    def forward(self, h: Tensor) -> Tensor:
        """Maps `(B, C, ...)` or vectors `(B, C)`."""
        if not (self.training or self.running_mean is None):
            return super().forward(h)
        wide = at_least_float32(h)
        dims, places = [0, *range(2, h.dim())], (-1, *[1] * (h.dim() - 2))
        own_mean = wide.mean(dims)
        centred = wide - own_mean.view(places)  # `torch.var_mean` takes several times as long on a processor
        variances, means = everyone([centred.square().mean(dims)[None], own_mean[None]])
        mean = means.mean(0)
        variance = variances.mean(0) + (means - mean).square().mean(0)
        if self.training:
            self._remember(mean.detach(), variance.detach(), h.numel() // h.shape[1] * ranks())
        scale = (variance + self.eps).rsqrt()
        scale = scale * self.weight if self.affine else scale
        shift = (own_mean - mean) * scale
        shift = shift + self.bias if self.affine else shift
        return torch.addcmul(shift.view(places), centred, scale.view(places)).to(h.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Let the statistics of `count` numbers a channel enter the running ones, as torch's batch norm does."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        weight = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(variance * (count / max(count - 1, 1)), weight)


def share_batch_norms(network: nn.Module) -> None:
    """Let the batch norms of a network take their statistics over all ranks, so that N ranks play as one process would.

    In place: each of torch's batch norms within the network gives way to one that shares its parameters and buffers
    under the same names. With one process nothing changes.
    """
    if ranks() == 1:
        return
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            setattr(network, name, _shared(child))
        else:
            share_batch_norms(child)


def _shared(norm: _BatchNorm) -> _SharedBatchNorm:
    shared = _SharedBatchNorm(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    for name, parameter in norm.named_parameters(recurse=False):
        setattr(shared, name, parameter)
    for name, buffer in norm.named_buffers(recurse=False):
        setattr(shared, name, buffer)
    return shared.train(norm.training)
