# Written by `make stubs`; do not edit.
"""zerosum: the toolkit for generative adversarial networks.

The names below load on first use, so that `import zerosum` loads no torch. The subpackages (`zerosum.objectives`,
`zerosum.terms`, `zerosum.networks`, `zerosum.data`, ...) contain the parts.
"""

from zerosum import applications as applications
from zerosum import augment as augment
from zerosum import autoencoders as autoencoders
from zerosum import bench as bench
from zerosum import cli as cli
from zerosum import conditions as conditions
from zerosum import data as data
from zerosum import diagnostics as diagnostics
from zerosum import distributions as distributions
from zerosum import evaluation as evaluation
from zerosum import features as features
from zerosum import game as game
from zerosum import latent as latent
from zerosum import metrics as metrics
from zerosum import networks as networks
from zerosum import objectives as objectives
from zerosum import plots as plots
from zerosum import probes as probes
from zerosum import protocols as protocols
from zerosum import recipes as recipes
from zerosum import report as report
from zerosum import runs as runs
from zerosum import terms as terms
from zerosum import training as training
from zerosum.recipes.reader import read as read
from zerosum.recipes.recipe import Recipe as Recipe
from zerosum.runs.generator import load as load
from zerosum.runs.run import Run as Run
from zerosum.training.train import train as train

__version__: str
