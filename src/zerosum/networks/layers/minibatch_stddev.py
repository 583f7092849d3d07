"""What a discriminator can see of a batch as a whole."""

import torch
from torch import Tensor, nn


class MinibatchStddev(nn.Module):
    """Append one plane with the mean standard deviation over a group of samples: arXiv 1710.10196, section 3.

    The batch is cut into groups of at most `group` samples, as even as may be, and so works for any batch. A sample's
    score then depends on the others of its group: that is the method.

    Args:
        group: samples in a group; 4 in StyleGAN2.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C + 1, H, W)` of `(B, C, H, W)`."""
        groups = -(-len(x) // self.group)
        size, larger = divmod(len(x), groups)
        cut = larger * (size + 1)
        parts = [self._append(part, n) for part, n in ((x[:cut], size + 1), (x[cut:], size)) if len(part)]
        return torch.cat(parts)

    @staticmethod
    def _append(x: Tensor, size: int) -> Tensor:
        grouped = x.float().view(-1, size, *x.shape[1:]) if x.element_size() < 4 else x.reshape(-1, size, *x.shape[1:])
        # The small number keeps the root's slope finite where all samples are alike.
        deviation = (grouped.var(1, correction=0) + 1e-8).sqrt().flatten(1).mean(1)
        plane = deviation.repeat_interleave(size).to(x.dtype)[:, None, None, None]
        return torch.cat([x, plane.expand(-1, 1, *x.shape[2:])], dim=1)
