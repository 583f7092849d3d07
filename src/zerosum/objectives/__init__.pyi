# Written by `make stubs`; do not edit.
"""What the players want: scores in, scalar out. Objectives know no networks, optimisers or penalties."""

from zerosum.objectives import drifting as drifting
from zerosum.objectives import energy as energy
from zerosum.objectives import kernel as kernel
from zerosum.objectives import least_squares as least_squares
from zerosum.objectives import logistic as logistic
from zerosum.objectives import relativistic as relativistic
from zerosum.objectives import softmax as softmax
from zerosum.objectives import top_k as top_k
from zerosum.objectives import wasserstein as wasserstein
from zerosum.objectives.drifting import Drifting as Drifting
from zerosum.objectives.energy import BoundaryEquilibrium as BoundaryEquilibrium
from zerosum.objectives.energy import EnergyBased as EnergyBased
from zerosum.objectives.kernel import GaussianKernel as GaussianKernel
from zerosum.objectives.kernel import Kernel as Kernel
from zerosum.objectives.kernel import MMD as MMD
from zerosum.objectives.kernel import RationalQuadraticKernel as RationalQuadraticKernel
from zerosum.objectives.least_squares import AbsoluteError as AbsoluteError
from zerosum.objectives.least_squares import LeastSquares as LeastSquares
from zerosum.objectives.logistic import Minimax as Minimax
from zerosum.objectives.logistic import NonSaturating as NonSaturating
from zerosum.objectives.relativistic import Relativistic as Relativistic
from zerosum.objectives.relativistic import RelativisticAverage as RelativisticAverage
from zerosum.objectives.softmax import Softmax as Softmax
from zerosum.objectives.top_k import TopK as TopK
from zerosum.objectives.wasserstein import Hinge as Hinge
from zerosum.objectives.wasserstein import Wasserstein as Wasserstein
