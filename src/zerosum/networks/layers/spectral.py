"""Spectral normalisation: every layer's weight divided by its largest singular value.

Miyato, Kataoka, Koyama and Yoshida 2018 (arXiv 1802.05957), equation 8 and algorithm 1.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, embedding, linear, normalize

from zerosum.networks.layers.conditional import ConditionalBatchNorm

Layer = nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.Embedding
_WARM = 20  # iterations at the start, so that the first division is already right to a few per cent
_LEAST = 1e-12  # of a singular value: a weight of zeros stays one of zeros


class SpectralNorm(nn.Module):
    """A layer whose weight W is divided by sigma = u^T W v, its largest singular value by power iteration.

    W is taken as a matrix of outputs by all the rest. Each forward pass in training makes one step,
    v = W^T u / |W^T u| and u = W v / |W v|, and keeps u, a buffer; in evaluation the same step is made and not kept.
    u and v are constants to the gradient, which passes through W alone (equation 12), any number of times. The graph
    holds no buffer, so that several passes may be made before a backward one.

    Args:
        layer: the layer; its weight stays the parameter that is learnt.
    """

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.layer = layer
        self.register_buffer("u", torch.randn(len(self._matrix())))
        self.u: Tensor
        for _ in range(_WARM):
            self.u.copy_(self._step()[0])

    def _matrix(self) -> Tensor:
        weight = self.layer.weight
        outputs_first = weight.transpose(0, 1) if isinstance(self.layer, nn.ConvTranspose2d) else weight
        return outputs_first.flatten(1)

    @torch.no_grad()
    def _step(self) -> tuple[Tensor, Tensor]:
        matrix = self._matrix()
        v = normalize(matrix.T @ self.u, dim=0, eps=_LEAST)
        return normalize(matrix @ v, dim=0, eps=_LEAST), v

    def weight(self) -> Tensor:
        """W / sigma, of the layer's shape, float32."""
        with torch.autocast(self.u.device.type, enabled=False):
            u, v = self._step()
            if self.training:
                with torch.no_grad():
                    self.u.copy_(u)
            sigma = torch.dot(u, self._matrix() @ v)
            return self.layer.weight / sigma.clamp_min(_LEAST)

    def forward(self, h: Tensor) -> Tensor:
        """The layer's output under the divided weight."""
        layer, weight = self.layer, self.weight()
        if isinstance(layer, nn.Linear):
            return linear(h, weight, layer.bias)
        if isinstance(layer, nn.Conv2d):
            return conv2d(h, weight, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups)
        if isinstance(layer, nn.ConvTranspose2d):
            assert not isinstance(layer.padding, str)
            places = (layer.stride, layer.padding, layer.output_padding, layer.groups, layer.dilation)
            return conv_transpose2d(h, weight, layer.bias, *places)
        return embedding(h, weight)


def spectral(network: nn.Module) -> None:
    """Put every linear, convolutional and embedding layer of a network under `SpectralNorm`, in place.

    The embeddings of conditional norms are left as they are: they scale, and do not map.
    """
    for name, child in network.named_children():
        if isinstance(child, Layer):
            setattr(network, name, SpectralNorm(child))
        elif not isinstance(child, ConditionalBatchNorm):
            spectral(child)
