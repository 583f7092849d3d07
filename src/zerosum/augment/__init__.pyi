# Written by `make stubs`; do not edit.
"""Differentiable augmentation of the samples that the discriminator sees, fixed or adaptive."""

from zerosum.augment import adaptive as adaptive
from zerosum.augment import colours as colours
from zerosum.augment import combined as combined
from zerosum.augment import corruptions as corruptions
from zerosum.augment import filters as filters
from zerosum.augment import history_buffer as history_buffer
from zerosum.augment import motions as motions
from zerosum.augment import pipelines as pipelines
from zerosum.augment import schedules as schedules
from zerosum.augment.adaptive import AdaptiveAugment as AdaptiveAugment
from zerosum.augment.adaptive import AdaptivePseudo as AdaptivePseudo
from zerosum.augment.colours import Brightness as Brightness
from zerosum.augment.colours import Contrast as Contrast
from zerosum.augment.colours import Hue as Hue
from zerosum.augment.colours import LumaFlip as LumaFlip
from zerosum.augment.colours import Saturation as Saturation
from zerosum.augment.combined import Chain as Chain
from zerosum.augment.combined import InstanceNoise as InstanceNoise
from zerosum.augment.corruptions import Cutout as Cutout
from zerosum.augment.corruptions import Noise as Noise
from zerosum.augment.corruptions import Translate as Translate
from zerosum.augment.filters import Filter as Filter
from zerosum.augment.history_buffer import HistoryBuffer as HistoryBuffer
from zerosum.augment.motions import Anisotropy as Anisotropy
from zerosum.augment.motions import Flip as Flip
from zerosum.augment.motions import FractionalTranslate as FractionalTranslate
from zerosum.augment.motions import IntegerTranslate as IntegerTranslate
from zerosum.augment.motions import Rotate as Rotate
from zerosum.augment.motions import Rotate90 as Rotate90
from zerosum.augment.motions import Scale as Scale
from zerosum.augment.pipelines import DiffAugment as DiffAugment
from zerosum.augment.pipelines import FixedAugment as FixedAugment
from zerosum.augment.pipelines import Group as Group
from zerosum.augment.schedules import Line as Line
