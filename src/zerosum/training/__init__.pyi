# Written by `make stubs`; do not edit.
"""The loop around the game: data in, pictures, log lines and checkpoints out."""

from zerosum.training import ahead as ahead
from zerosum.training import batches as batches
from zerosum.training import build as build
from zerosum.training import care as care
from zerosum.training import compiled as compiled
from zerosum.training import device as device
from zerosum.training import evaluating as evaluating
from zerosum.training import faults as faults
from zerosum.training import folder as folder
from zerosum.training import judging as judging
from zerosum.training import loop as loop
from zerosum.training import origin as origin
from zerosum.training import pictures as pictures
from zerosum.training import progress as progress
from zerosum.training import ranks as ranks
from zerosum.training import run as run
from zerosum.training import scores as scores
from zerosum.training import session as session
from zerosum.training import signals as signals
from zerosum.training import state as state
from zerosum.training import watchers as watchers
from zerosum.training.build import build_game as build_game
from zerosum.training.care import Care as Care
from zerosum.training.ranks import RankLostError as RankLostError
from zerosum.training.run import train as train
from zerosum.training.signals import Interrupted as Interrupted
from zerosum.training.watchers import RunWatchers as RunWatchers
