# Written by `make stubs`; do not edit.
"""Training: the loop around the game, which logs, evaluates, saves checkpoints and resumes."""

from zerosum.training import batches as batches
from zerosum.training import build as build
from zerosum.training import cautions as cautions
from zerosum.training import check_ups as check_ups
from zerosum.training import compiled as compiled
from zerosum.training import conditional_accuracy as conditional_accuracy
from zerosum.training import device as device
from zerosum.training import dry_run as dry_run
from zerosum.training import evaluations as evaluations
from zerosum.training import faults as faults
from zerosum.training import folder as folder
from zerosum.training import frames as frames
from zerosum.training import loop as loop
from zerosum.training import options as options
from zerosum.training import pace as pace
from zerosum.training import prefetch as prefetch
from zerosum.training import progress as progress
from zerosum.training import ranks as ranks
from zerosum.training import same_data as same_data
from zerosum.training import sample_images as sample_images
from zerosum.training import scores as scores
from zerosum.training import session as session
from zerosum.training import signals as signals
from zerosum.training import standing as standing
from zerosum.training import state as state
from zerosum.training import timed as timed
from zerosum.training import warm_start as warm_start
from zerosum.training import watchers as watchers
from zerosum.training.build import build_game as build_game
from zerosum.training.options import RunOptions as RunOptions
from zerosum.training.ranks import RankLostError as RankLostError
from zerosum.training.signals import Interrupted as Interrupted
from zerosum.training.signals import Terminated as Terminated
from zerosum.training.train import train as train
from zerosum.training.watchers import RunWatchers as RunWatchers
