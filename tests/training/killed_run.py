"""Train the recipe of a script, and die in it.

    python killed_run.py SCRIPT FOLDER [UPDATE]

trains the `RECIPE` of SCRIPT in FOLDER, and kills itself at once after that update of G, before anything is saved.
"""

import importlib.util
import os
import signal
import sys
from pathlib import Path

import torch

from zerosum.runs.checkpoint import newest_checkpoint
from zerosum.training.options import RunOptions
from zerosum.training.train import train


class Death:
    """A watcher that kills the process after an update of G."""

    def __init__(self, update):
        self.left = update

    def watch(self, player, turn, log):
        self.left -= player == "G"
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def loaded(script):
    """The module of a script, found by pickle and dataclasses under its own name."""
    spec = importlib.util.spec_from_file_location(Path(script).stem, script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def trained(script, run, update=None, ranks=1):
    """Train the recipe of a script in a process of its own, or in several; return their exit statuses."""
    from tests import forked  # which this file does not find when it is the process

    return forked.ranks(ranks, __file__, script, run, *([] if update is None else [update]))


def tensors(run):
    """All tensors of a run's newest checkpoint, by name."""
    groups = newest_checkpoint(Path(run))[1].groups
    return {f"{group}.{name}": tensor for group, found in groups.items() for name, tensor in found.items()}


def assert_resumes_to_the_same_bits(script, straight, run, update=12):
    """A run that is killed, and started again, ends as one that was not."""
    images = loaded(script).RECIPE.images
    assert trained(script, run, update) == [-signal.SIGKILL]
    assert 0 < int(newest_checkpoint(run)[1].numbers["images"]) < images
    assert trained(script, run) == [0]
    one, other = tensors(straight), tensors(run)
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    files = {file.name for file in Path(straight).glob("*.safetensors")}
    assert "generator.safetensors" in files
    assert all((straight / name).read_bytes() == (run / name).read_bytes() for name in files)


def main(script, folder, update=None):
    watchers = () if update is None else (Death(int(update)),)
    train(loaded(script).RECIPE, Path(folder), quiet=True, options=RunOptions(watchers=watchers))


if __name__ == "__main__":
    main(*sys.argv[1:])
