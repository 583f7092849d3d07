"""The generator of CycleGAN: Zhu et al. 2017 (arXiv 1703.10593), appendix 7.2, by Johnson et al. 2016 (1603.08155)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import normalize, relu

from zerosum.conditions.condition import Condition
from zerosum.game.precision import at_least_float32
from zerosum.networks.conditioning import needed
from zerosum.networks.dcgan import image_shape
from zerosum.networks.layers.basic import check_size, norm2d
from zerosum.networks.layers.translation import begin, image_condition, sides_of

_EMBEDDING = 256  # dimensions of a patch
_LEAST = 8  # side of an image, of which a quarter can be reflected


def _stage(before: int, after: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A convolution with instance norm and ReLU; beyond the border the map is reflected, or zero where it is halved."""
    around = nn.ReflectionPad2d(kernel // 2) if stride == 1 else nn.ZeroPad2d(kernel // 2)
    conv = nn.Conv2d(before, after, kernel, stride=stride, bias=False)
    return nn.Sequential(around, conv, norm2d("instance", after), nn.ReLU())


class _Block(nn.Module):
    """h + f(h), f two 3x3 convolutions with instance norm, and a ReLU between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        last = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=False), norm2d("instance", width))
        self.body = nn.Sequential(_stage(width, width, 3), last)

    def forward(self, h: Tensor) -> Tensor:
        """`(B, width, H, W)`."""
        result: Tensor = h + self.body(h)
        return result


class _Up(nn.Module):
    """A transposed convolution to given sides, instance norm and ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1, bias=False)
        self.norm = norm2d("instance", after)

    def forward(self, h: Tensor, height: int, width: int) -> Tensor:
        """`(B, before, H/2, W/2)` to `(B, after, height, width)`."""
        return relu(self.norm(self.conv(h)[:, :, :height, :width]))


class _Heads(nn.Module):
    """Embeds patches of an encoder's maps: an MLP of two layers for each map, then unit length."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.mlps = nn.ModuleList(
            nn.Sequential(nn.Linear(width, _EMBEDDING), nn.ReLU(), nn.Linear(_EMBEDDING, _EMBEDDING))
            for width in widths
        )

    def forward(self, maps: Sequence[Tensor], places: Tensor) -> list[Tensor]:
        """`(B, n, size)` for each map `(B, C, H, W)`, at relative places `(n, 2)` in [0, 1)."""
        found = []
        for mlp, h in zip(self.mlps, maps, strict=True):
            inside = ((places[:, axis] * h.shape[2 + axis]).long() for axis in (0, 1))
            rows, columns = (indices.to(h.device, non_blocking=True) for indices in inside)
            vectors = at_least_float32(mlp(h[:, :, rows, columns].transpose(1, 2)))
            found.append(normalize(vectors, dim=2))
        return found


class _Generator(nn.Module):
    def __init__(self, spec: "Translator", inputs: int, outputs: int) -> None:
        super().__init__()
        size, blocks = spec.size, spec.blocks
        downs = [_stage(before, after, 3, stride=2) for before, after in pairwise([size, 2 * size, 4 * size])]
        middle = [_Block(4 * size) for _ in range(blocks)]
        self.stages = nn.ModuleList([_stage(inputs, size, 7), *downs, *middle])
        self.up = nn.ModuleList([_Up(4 * size, 2 * size), _Up(2 * size, size)])
        self.end = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(size, outputs, 7))
        begin(self, "instance")

    def encode(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Maps `(B, C, H, W)` after so many of the stages, for each of `layers`; 0 is the image itself.

        The stages are the first convolution, two halvings and the blocks; only those asked for are computed.
        PatchNCE of CUT (Park et al. 2020, arXiv 2007.15651) takes about (0, 2, 3, 4, 8) of nine blocks.

        Args:
            x: images `(B, C, H, W)`.
            layers: numbers of stages, in any order.

        Raises:
            ValueError: for other numbers than 0 to the number of stages, and for images below 8x8.
        """
        if not all(0 <= layer <= len(self.stages) for layer in layers):
            raise ValueError(f"layers of this network are 0 to {len(self.stages)}; found {tuple(layers)}")
        if min(sides_of(x)) < _LEAST:
            raise ValueError(f"Translator takes images of 8x8 and more; found {x.shape[2]}x{x.shape[3]}")
        maps = [x.to(next(self.parameters()).dtype)]
        for stage in self.stages[: max(layers, default=0)]:
            maps.append(stage(maps[-1]))
        return [maps[layer] for layer in layers]

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        image, first, half, h = self.encode(needed(c), (0, 1, 2, len(self.stages)))
        for up, target in zip(self.up, (half, first), strict=True):
            h = up(h, *sides_of(target))
        assert sides_of(h) == sides_of(image)
        return at_least_float32(self.end(h)).tanh()


class _Contrasting(_Generator):
    def __init__(self, spec: "Translator", inputs: int, outputs: int) -> None:
        super().__init__(spec, inputs, outputs)
        ends = {3 + (spec.blocks + 1) // 2, 3 + spec.blocks} - {3}
        self.contrasted = (0, 2, 3, *sorted(ends))
        self.heads = _Heads([inputs, 2 * spec.size, *[4 * spec.size] * (len(self.contrasted) - 2)])

    def patches(self, x: Tensor, places: Tensor) -> list[Tensor]:
        """Unit vectors `(B, n, 256)` of n patches of images, for each of some layers.

        Args:
            x: images `(B, C, H, W)`.
            places: relative places `(n, 2)` in [0, 1), from the top and from the left.
        """
        found: list[Tensor] = self.heads(self.encode(x, self.contrasted), places)
        return found


@dataclass(frozen=True)
class Translator:
    """The residual generator of CycleGAN, which translates its condition, an image of the sample's height and width.

    A 7x7 convolution, two that halve the sides, residual blocks, two that double them and a 7x7 convolution, with
    reflection at the border, instance norm and ReLU, then tanh. A sample is a function of c alone; z is not used. The
    network applies to images of any height and width from 8x8 on. Instance norm depends on the whole image, so tiles
    (`tiled`) are not exact. `module.encode(x, layers)` returns maps of the first half, for contrastive terms.

    Args:
        size: channels at full size; 64 in CycleGAN.
        blocks: residual blocks; CycleGAN has 6 for images of 128x128, and 9 from 256x256 on.
        contrast: whether it embeds patches, as `PatchNCE` needs, by heads that are trained with it.
    """

    size: int = 64
    blocks: int = 9
    contrast: bool = False

    def __post_init__(self) -> None:
        check_size(self.size)
        if self.blocks < 0:
            raise ValueError(f"blocks counts residual blocks, at least 0; found {self.blocks}")

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """`G(z, c)`: images c `(B, C', H, W)` to images `(B, C, H, W)` in [-1, 1]."""
        outputs, height, width = image_shape(shape)
        inputs, *sides = image_condition("Translator", condition).size
        if sides != [height, width]:
            raise ValueError(
                f"Translator needs a condition of the sample's height and width, {height}x{width}; found "
                f"{sides[0]}x{sides[1]}: choose UNet, which resizes it, or SuperResolution"
            )
        if min(sides) < _LEAST:
            raise ValueError(f"Translator takes images of 8x8 and more; found {height}x{width}")
        return (_Contrasting if self.contrast else _Generator)(self, inputs, outputs)
