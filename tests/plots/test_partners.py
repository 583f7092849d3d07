"""Images that belong together, one above the other."""

import numpy as np
import pytest

from zerosum.plots.grids import grid
from zerosum.plots.image_pairs import pairs


def test_partners_stand_above_each_other_and_grey_stays_grey():
    draw = np.random.default_rng(0)
    upper = draw.integers(0, 256, (3, 8, 6, 1), dtype=np.uint8)
    lower = draw.integers(0, 256, (3, 8, 6, 3), dtype=np.uint8)
    wanted = grid(np.concatenate([upper.repeat(3, 3), lower]), columns=3, row_labels=("a", "b"))
    assert np.array_equal(np.asarray(pairs(upper, lower, ("a", "b"))), np.asarray(wanted))
    assert pairs(upper, upper, ("a", "b")).mode == "L"


def test_images_without_partners_are_refused():
    upper = np.zeros((3, 8, 6, 1), np.uint8)
    with pytest.raises(ValueError, match=r"the same \(N, H, W\); found \(3, 8, 6\) above \(2, 8, 6\)"):
        pairs(upper, upper[:2], ("a", "b"))
