# Written by `make stubs`; do not edit.
"""The run folder: checkpoints, the log, and the trained generator that sampling needs."""

from zerosum.runs import checkpoint as checkpoint
from zerosum.runs import facts as facts
from zerosum.runs import fitting as fitting
from zerosum.runs import generator as generator
from zerosum.runs import lock as lock
from zerosum.runs import log as log
from zerosum.runs import plain_json as plain_json
from zerosum.runs.checkpoint import Checkpoint as Checkpoint
from zerosum.runs.checkpoint import checkpoint_path as checkpoint_path
from zerosum.runs.checkpoint import checkpoints as checkpoints
from zerosum.runs.checkpoint import load_checkpoint as load_checkpoint
from zerosum.runs.checkpoint import newest_checkpoint as newest_checkpoint
from zerosum.runs.checkpoint import prune_checkpoints as prune_checkpoints
from zerosum.runs.checkpoint import save_checkpoint as save_checkpoint
from zerosum.runs.checkpoint import set_aside as set_aside
from zerosum.runs.checkpoint import sweep as sweep
from zerosum.runs.facts import check_facts as check_facts
from zerosum.runs.fitting import load_fitting as load_fitting
from zerosum.runs.fitting import told as told
from zerosum.runs.generator import TrainedGenerator as TrainedGenerator
from zerosum.runs.generator import build_generator as build_generator
from zerosum.runs.generator import column_facts as column_facts
from zerosum.runs.generator import condition_of as condition_of
from zerosum.runs.generator import generator_bytes as generator_bytes
from zerosum.runs.generator import load as load
from zerosum.runs.generator import to_bytes as to_bytes
from zerosum.runs.lock import locked as locked
from zerosum.runs.log import Means as Means
from zerosum.runs.log import append_log as append_log
from zerosum.runs.log import read_log as read_log
from zerosum.runs.log import settle_log as settle_log
from zerosum.runs.log import truncate_log as truncate_log
from zerosum.runs.plain_json import read_json as read_json
