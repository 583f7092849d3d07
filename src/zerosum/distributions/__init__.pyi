# Written by `make stubs`; do not edit.
"""Distributions on the line: CDF, inverse CDF, density, and sampling by inverse transform."""

from zerosum.distributions import continuous as continuous
from zerosum.distributions import discrete as discrete
from zerosum.distributions import inversion as inversion
from zerosum.distributions import skewed as skewed
from zerosum.distributions.continuous import CauchyDistribution as CauchyDistribution
from zerosum.distributions.continuous import ExponentialDistribution as ExponentialDistribution
from zerosum.distributions.continuous import LaplaceDistribution as LaplaceDistribution
from zerosum.distributions.continuous import LogisticDistribution as LogisticDistribution
from zerosum.distributions.continuous import NormalDistribution as NormalDistribution
from zerosum.distributions.continuous import UniformDistribution as UniformDistribution
from zerosum.distributions.discrete import BernoulliDistribution as BernoulliDistribution
from zerosum.distributions.discrete import PoissonDistribution as PoissonDistribution
from zerosum.distributions.discrete import StepsDistribution as StepsDistribution
from zerosum.distributions.inversion import inverse_transform as inverse_transform
from zerosum.distributions.skewed import KumaraswamyDistribution as KumaraswamyDistribution
from zerosum.distributions.skewed import MixtureDistribution as MixtureDistribution
from zerosum.distributions.skewed import ParetoDistribution as ParetoDistribution
from zerosum.distributions.skewed import TriangularDistribution as TriangularDistribution
