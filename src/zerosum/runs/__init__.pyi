# Written by `make stubs`; do not edit.
"""Run folders: checkpoints, the log, and trained generators and discriminators."""

from zerosum.runs import applied as applied
from zerosum.runs import checkpoint as checkpoint
from zerosum.runs import condition_grid as condition_grid
from zerosum.runs import discriminator as discriminator
from zerosum.runs import facts as facts
from zerosum.runs import files as files
from zerosum.runs import frames as frames
from zerosum.runs import generator as generator
from zerosum.runs import images as images
from zerosum.runs import latents as latents
from zerosum.runs import live as live
from zerosum.runs import lock as lock
from zerosum.runs import log as log
from zerosum.runs import notebook as notebook
from zerosum.runs import plain_json as plain_json
from zerosum.runs import run as run
from zerosum.runs import stored_coding as stored_coding
from zerosum.runs import stored_condition as stored_condition
from zerosum.runs import texts as texts
from zerosum.runs.checkpoint import Checkpoint as Checkpoint
from zerosum.runs.checkpoint import checkpoints as checkpoints
from zerosum.runs.checkpoint import load_checkpoint as load_checkpoint
from zerosum.runs.checkpoint import newest_checkpoint as newest_checkpoint
from zerosum.runs.discriminator import TrainedDiscriminator as TrainedDiscriminator
from zerosum.runs.discriminator import load_discriminator as load_discriminator
from zerosum.runs.generator import TrainedGenerator as TrainedGenerator
from zerosum.runs.generator import build_generator as build_generator
from zerosum.runs.generator import generator_bytes as generator_bytes
from zerosum.runs.generator import load as load
from zerosum.runs.log import read_log as read_log
from zerosum.runs.run import Run as Run
from zerosum.runs.run import RunState as RunState
from zerosum.runs.texts import sample_texts as sample_texts
