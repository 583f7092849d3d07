"""What tests of runs share."""

from functools import cache

import pytest

from zerosum.training.train import train


@pytest.fixture(scope="module")
def straight_of(tmp_path_factory):
    """Train a recipe without interruption, once for all tests of a module."""
    return cache(lambda recipe: train(recipe, tmp_path_factory.mktemp("straight") / "run", quiet=True))
