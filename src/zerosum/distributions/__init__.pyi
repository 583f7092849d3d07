# Written by `make stubs`; do not edit.
"""Distributions on the line: CDF, inverse CDF, density, and sampling by inverse transform."""

from zerosum.distributions import continuous as continuous
from zerosum.distributions import discrete as discrete
from zerosum.distributions import inversion as inversion
from zerosum.distributions import skewed as skewed
from zerosum.distributions.continuous import CauchyLaw as CauchyLaw
from zerosum.distributions.continuous import ExponentialLaw as ExponentialLaw
from zerosum.distributions.continuous import LaplaceLaw as LaplaceLaw
from zerosum.distributions.continuous import LogisticLaw as LogisticLaw
from zerosum.distributions.continuous import NormalLaw as NormalLaw
from zerosum.distributions.continuous import UniformLaw as UniformLaw
from zerosum.distributions.discrete import BernoulliLaw as BernoulliLaw
from zerosum.distributions.discrete import PoissonLaw as PoissonLaw
from zerosum.distributions.discrete import StepsLaw as StepsLaw
from zerosum.distributions.inversion import inverse_transform as inverse_transform
from zerosum.distributions.skewed import KumaraswamyLaw as KumaraswamyLaw
from zerosum.distributions.skewed import MixtureLaw as MixtureLaw
from zerosum.distributions.skewed import ParetoLaw as ParetoLaw
from zerosum.distributions.skewed import TriangularLaw as TriangularLaw
