"""The softmax objective: one softmax of the scores of all samples of a batch, real and generated."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from zerosum.protocols import Reference


def _cross_entropy(target: Tensor, every: Tensor) -> Tensor:
    """Cross entropy from the uniform distribution over the scores `target` to the softmax of the scores `every`."""
    return every.flatten().logsumexp(0) - target.mean()


@dataclass(frozen=True)
class Softmax:
    """Softmax GAN: Lin 2017 (arXiv 1704.06191), section 3.

    P = exp(D) / Z, with Z the sum of exp(D) over real and generated samples, is a distribution over the samples of the
    batch (the paper writes exp(-D): there a low D is real). D minimises the cross entropy from the uniform distribution
    over the real samples to P, G that from the uniform distribution over all samples. With n real and n generated
    samples, the infimum of D's loss is log(n), for P = 0 on generated samples; the minimum of G's is log(2n), for equal
    scores. Only differences of scores matter; each component of a score map is one element of the softmax.

    A loss depends on the number of samples, those of all ranks: the gradient of a score is its P minus its target.
    """

    reads_real: ClassVar[bool] = True
    whole_batch: ClassVar[str] = "takes the softmax over all samples of the batch"
    reference: ClassVar[Reference] = Reference("a number of which only differences between samples have a meaning")

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """log(sum exp D(x) + sum exp D(G(z))) - E[D(x)], a scalar from scores `(B, ...)`."""
        return _cross_entropy(real, torch.cat([real, fake]))

    def g_loss(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """log(sum exp D(x) + sum exp D(G(z))) - E[D(x)]/2 - E[D(G(z))]/2, a scalar from scores `(B, ...)`.

        Raises `ValueError` without real scores.
        """
        if real is None:
            raise ValueError("the softmax is over real and generated scores: give g_loss(fake, real)")
        every = torch.cat([real, fake])
        return _cross_entropy(every, every)
