"""The devices that the tests of this folder run on: a simulated one everywhere, and CUDA where it is.

`python -m pytest -m cuda` runs the tests on CUDA alone.
"""

import contextlib
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
import torch
from tests.cuda.simulated import CUDA, simulated_cuda


@dataclass(frozen=True)
class Place:
    """A device, and a context in which the host must not wait for it."""

    device: torch.device
    without_waiting: Callable[[], AbstractContextManager[None]]
    is_simulated: bool


@contextlib.contextmanager
def _erring():
    """Let PyTorch raise where the host waits for the GPU."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype", UserWarning)
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@contextlib.contextmanager
def _cuda():
    """A GPU that computes in float32 throughout; the test is skipped where there is none."""
    if not torch.cuda.is_available():
        pytest.skip("PyTorch finds no CUDA device on this machine")
    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, False
    try:
        yield CUDA
    finally:
        torch.backends.cudnn.allow_tf32 = before


@pytest.fixture(params=["simulated", pytest.param("cuda", marks=pytest.mark.cuda)])
def place(request):
    """The simulated device, or a GPU."""
    if request.param == "cuda":
        with _cuda() as device:
            yield Place(device, _erring, False)
        return
    with simulated_cuda() as simulation:

        @contextlib.contextmanager
        def unwaiting():
            before = len(simulation.waits)
            yield
            assert simulation.waits[before:] == [], "the host waits for the device"

        yield Place(CUDA, unwaiting, True)


@pytest.fixture(params=[pytest.param("cuda", marks=pytest.mark.cuda)])
def gpu(request):
    """A GPU, for what nothing can simulate."""
    with _cuda() as device:
        yield device
