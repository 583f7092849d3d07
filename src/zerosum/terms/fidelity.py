"""Terms of G on the difference between a generated sample and the real one that belongs to the same condition."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from zerosum.features.extractor import extractor_named
from zerosum.features.feature_network import check_network_name
from zerosum.features.perceptual_distance import PerceptualDistance
from zerosum.game.precision import at_least_float32
from zerosum.game.turn import Turn
from zerosum.terms._common import check_player, check_weight


def _pair(turn: Turn, term: object) -> tuple[Tensor, Tensor]:
    """The real samples and the generated ones of an update of G; raises `ValueError` in one of D."""
    check_player(turn, "G", term)
    return turn.x.detach(), turn.x_fake


def _images(turn: Turn, term: object) -> tuple[Tensor, Tensor]:
    """Those, which must be images."""
    real, fake = _pair(turn, term)
    if fake.dim() != 4:
        raise ValueError(f"{type(term).__name__} takes images (B, C, H, W); found samples {tuple(fake.shape)}")
    return real, fake


@dataclass(frozen=True)
class L1:
    """weight E |x - G(z, c)|, x the real sample of condition c: pix2pix, Isola et al. 2017, equation 3.

    arXiv 1611.07004. The mean is over the elements of samples. It is for data whose condition determines the sample
    but for details, such as an image to be coloured or enlarged; under a label it makes G generate the mean of the
    class.

    Args:
        weight: weight (>= 0); the paper uses 100, for images in [-1, 1].
    """

    weight: float = 100.0

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The mean absolute difference on this turn, a scalar >= 0."""
        real, fake = _pair(turn, self)
        return self.weight * (real - fake).abs().mean()


@dataclass(frozen=True)
class Charbonnier:
    """weight E sqrt((x - G(z, c))^2 + epsilon^2), an L1 that is smooth at 0: LapSRN, Lai et al. 2017, equation 2.

    arXiv 1704.03915. The mean is over the elements of samples; x is the real sample of condition c, as in `L1`.

    Args:
        weight: weight (>= 0).
        epsilon: differences below it count nearly as squares (> 0); the paper uses 1e-3.
    """

    weight: float = 100.0
    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        if not self.epsilon > 0:
            raise ValueError(f"epsilon is the width of the smooth part, above 0; found {self.epsilon}")

    def __call__(self, turn: Turn) -> Tensor:
        """The mean smooth difference on this turn, a scalar >= weight epsilon."""
        real, fake = _pair(turn, self)
        return self.weight * ((real - fake).square() + self.epsilon**2).sqrt().mean()


@dataclass(frozen=True)
class GradientDifference:
    """weight E ||grad x| - |grad G(z, c)||^power over both directions: sharp edges, Mathieu et al. 2016, equation 6.

    arXiv 1511.05440. grad are differences of neighbouring pixels; each direction is a mean over its pairs of pixels
    (the paper sums), and the two are added. x is the real image of condition c, as in `L1`, which the term
    complements: it ignores the mean and the sign of edges.

    Args:
        weight: weight (>= 0).
        power: alpha, the power of differences (>= 1); the paper uses 1 or 2.
    """

    weight: float = 100.0
    power: float = 1.0

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        if not self.power >= 1:
            raise ValueError(f"power is that of differences, at least 1; found {self.power}")

    def __call__(self, turn: Turn) -> Tensor:
        """The difference of the gradients on this turn, a scalar >= 0; raises `ValueError` for other than images."""
        real, fake = _images(turn, self)
        parts = [(real.diff(dim=axis).abs() - fake.diff(dim=axis).abs()).abs() for axis in (2, 3)]
        return self.weight * torch.stack([part.pow(self.power).mean() for part in parts]).sum()


@dataclass(frozen=True)
class Perceptual:
    """weight E d(x, G(z, c)), d the distance in the feature maps of a trained network, which is not trained further.

    d is `PerceptualDistance` (LPIPS, Zhang et al. 2018, arXiv 1801.03924); x is the real image of condition c, as in
    `L1`. Images of other than 1 or 3 channels count as grey images, one for each channel, of which the mean is taken.
    The network is built in the first update and not in checkpoints.

    Args:
        features: name of an extractor with feature maps: `vgg16`, `alexnet`, `random-conv` and others.
        weight: weight (>= 0).
    """

    features: str = "vgg16"
    weight: float = 1.0
    built: list[PerceptualDistance] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)
        check_network_name(self.features)

    def __call__(self, turn: Turn) -> Tensor:
        """The mean distance on this turn, a scalar >= 0; raises `ValueError` for other than images."""
        real, fake = _images(turn, self)
        if fake.shape[1] not in (1, 3):
            real, fake = (images.flatten(0, 1)[:, None] for images in (real, fake))
        distance: Tensor = self._network(fake.device)(real, fake)
        return self.weight * distance.mean()

    def _network(self, device: torch.device) -> PerceptualDistance:
        if not self.built:
            self.built.append(PerceptualDistance(extractor_named(self.features)))
        return self.built[0].to(device)


@dataclass(frozen=True)
class DiscriminatorFeatures:
    """weight sum_i E |D_i(x, c) - D_i(G(z, c), c)|, D_i the maps that D returns: pix2pixHD, Wang et al. 2018.

    Equation 4 of arXiv 1711.11585. The mean is over the elements of each map, the sum over the maps of all layers. x is
    the real sample of condition c, as in `L1`; under an augmentation both are augmented alike. Unlike
    `FeatureMatching` it compares sample with sample, not means of the batch.

    Args:
        weight: weight (>= 0); the paper uses 10.
    """

    weight: float = 10.0

    def __post_init__(self) -> None:
        check_weight("weight", self.weight)

    def __call__(self, turn: Turn) -> Tensor:
        """The difference of the maps on this turn, a scalar >= 0; raises `ValueError` where D returns none."""
        real, _ = _pair(turn, self)
        if not turn.fake.maps:
            raise ValueError("DiscriminatorFeatures needs a discriminator that returns maps")
        # Samples of one role are augmented by the same random numbers.
        of_real = turn.real if turn.augment is None else turn.judge(real, "fake")
        pairs = zip(of_real.maps, turn.fake.maps, strict=True)
        differences = [(at_least_float32(one.detach()) - at_least_float32(other)).abs() for one, other in pairs]
        return self.weight * torch.stack([difference.mean() for difference in differences]).sum()
