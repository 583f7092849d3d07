"""What tests in all folders use."""

import contextlib
import gc
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.forked import forking

gc.disable()  # modules and tests that are collected stay: to look for garbage among them takes a fifth of the time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, also by the processes that tests start


def pytest_collection_finish():
    """From here on garbage is sought among what tests make alone."""
    gc.enable()
    gc.freeze()


@pytest.fixture
def forks():
    """Python processes that a test starts are forks of one that has loaded PyTorch and zerosum."""
    with forking():
        yield


def _bits(points, *_, **__):
    """The bits of points as an image, which takes no time to draw."""
    return Image.fromarray(np.ascontiguousarray(points).view(np.uint8))


@contextlib.contextmanager
def _without(plots):
    def write(run, *rest):
        path = Path(run) / "report.html"
        path.touch()
        return path

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("zerosum.training.loop.write_report", write)
        for draw in ("scatter", "histogram") if plots else ():
            patched.setattr(f"zerosum.training.sample_images.{draw}", _bits)
        yield


@pytest.fixture
def reportless():
    """Runs end with an empty report, since writing it takes several times as long as a tiny run."""
    with _without(plots=False):
        yield


@pytest.fixture
def plotless():
    """As `reportless`, and samples that are points are no plots: for runs that are compared with each other alone."""
    with _without(plots=True):
        yield


@pytest.fixture(scope="module")
def module_plotless():
    """As `plotless`, for runs that the tests of a module share."""
    with _without(plots=True):
        yield
