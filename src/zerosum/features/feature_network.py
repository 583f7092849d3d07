"""Feature extractors as modules, for losses and discriminators that need gradients to the images."""

__all__ = ["Differentiable", "FeatureNetwork", "See"]

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from zerosum._arrays import described
from zerosum.features.extractor import HALF, extractor_kinds

See = Callable[[Tensor, Mapping[str, Tensor]], tuple[Tensor, ...]]


class FeatureNetwork(nn.Module):
    """The frozen network of an extractor, with gradients to its input; created by `extractor.module()`.

    For a perceptual loss (Zhang et al. 2018, arXiv 1801.03924) use distances of `maps`, for a discriminator on frozen
    features (Projected GAN, Sauer et al. 2021, arXiv 2111.01007) use the maps as its input. The computation is that of
    the extractor, including the resize, without rounding the input to 8 bits, so features of images between the 256
    levels differ slightly from those of a score. Images are float `(B, C, H, W)` in [-1, 1], of any height and width
    unless the extractor requires a size; grey ones count as r = g = b.

    The weights are buffers: `to` and `double` move them, optimisers do not update them, and `state_dict` does not
    contain them, since the extractor has them. Training and evaluation mode are the same.

    Args:
        see: maps images `(B, C, H, W)` in 0..255 and the weights by name to maps and, last, the features.
        weights: by name.
    """

    def __init__(self, see: See, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._see, self._names = see, tuple(weights)
        for place, weight in enumerate(weights.values()):
            self.register_buffer(f"weight_{place}", weight.detach().clone(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features `(B, d)` of images `(B, C, H, W)` in [-1, 1], on the device of the weights.

        Raises `ValueError` for images of another shape or type.
        """
        return self._all(images)[-1]

    def maps(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps `(B, channels, height, width)`, from fine to coarse.

        Raises `ValueError` as `forward` does.
        """
        return self._all(images)[:-1]

    def _all(self, images: Tensor) -> tuple[Tensor, ...]:
        if images.dim() != 4 or not images.is_floating_point() or images.shape[1] not in (1, 3) or not images.numel():
            raise ValueError(
                f"a feature network reads float images (B, 1 or 3, H, W) in [-1, 1]; found {described(images)}"
            )
        weights = dict(zip(self._names, self.buffers(), strict=True))
        first = next((weight for weight in weights.values() if weight.is_floating_point()), images)
        return self._see((images.to(first) + 1) * 127.5, weights)


@runtime_checkable
class Differentiable(Protocol):
    """An extractor whose network is available as a module."""

    def module(self, side: int | None = None) -> FeatureNetwork:
        """Return its network, with a copy of the weights on the device of the extractor.

        Images are resized to `side` x `side` instead of the extractor's own size. Raises `ValueError` for an extractor
        that does not resize.
        """
        ...


def check_network_name(text: str) -> None:
    """Raise `ValueError` unless text names an extractor of this package that is a network, as recipes name them."""
    kinds = [name for name, kind in extractor_kinds().items() if issubclass(kind, Differentiable)]
    if text.partition(":")[0].removesuffix(HALF) not in kinds:
        raise ValueError(
            f"features names an extractor that is a network, one of {', '.join(kinds)}; found {text!a:.80}"
        )
