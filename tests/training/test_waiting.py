"""Which games a device may play without being waited for, and the memory that a process keeps."""

import subprocess
import sys

import pytest
import torch

from zerosum.data.dataset import in_memory
from zerosum.networks import MLPDiscriminator, MLPGenerator
from zerosum.objectives import BoundaryEquilibrium, NonSaturating
from zerosum.recipes import RMSprop
from zerosum.recipes.recipe import Recipe
from zerosum.terms import R1, HistoricalAveraging, LeCam, WeightClip
from zerosum.training.build import _can_defer, build_game

POINTS = in_memory("points", torch.zeros(8, 2), None, ())
FAULTS = {
    "an optimiser that steps in any case": {"G_opt": RMSprop()},
    "a projection after the step": {"d_after": WeightClip()},
    "an objective that remembers": {"objective": BoundaryEquilibrium()},
    "a term that remembers": {"d_terms": (LeCam(),)},
    "another": {"g_terms": (HistoricalAveraging(),)},
}


def game(**changes):
    networks = {"generator": MLPGenerator(hidden=(4,)), "discriminator": MLPDiscriminator(hidden=(4,))}
    defaults = {"name": "late", "objective": NonSaturating(), "batch": 4, "images": 8, **networks}
    return build_game(Recipe(**(defaults | changes)), POINTS, torch.device("cpu"), "float32")


def test_a_game_that_forgets_may_be_played_late_and_is_not_on_a_processor():
    assert _can_defer(game(d_terms=(R1(),)))
    assert game().deferred is None


@pytest.mark.parametrize("fault", FAULTS)
def test_what_could_not_be_taken_back_is_looked_at_once(fault):
    assert not _can_defer(game(**FAULTS[fault]))


@pytest.mark.skipif(sys.platform != "linux", reason="the system's own memory is asked as Linux tells it")
def test_freed_memory_is_kept_for_the_next_step():
    script = (
        "import resource, torch\n"
        "from zerosum.training.device import keep_memory\n"
        "keep_memory()\n"
        "def step():\n"
        "    return [torch.ones(2_000_000) for _ in range(5)]\n"
        "for _ in range(3): step()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(20): step()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 500  # pages handed out anew; some thousands where memory goes back to the system
