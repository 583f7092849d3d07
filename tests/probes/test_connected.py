import numpy as np
import pytest
import torch

from zerosum.probes.connected import components


def flooded(mask):
    """Parts by flood fill, one pixel after the other: slow and plain."""
    height, width = mask.shape
    labels, count = np.full(mask.shape, -1), 0
    for start in zip(*np.nonzero(mask), strict=True):
        if labels[start] >= 0:
            continue
        labels[start], waiting = count, [start]
        while waiting:
            i, j = waiting.pop()
            for at in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                if 0 <= at[0] < height and 0 <= at[1] < width and mask[at] and labels[at] < 0:
                    labels[at] = count
                    waiting.append(at)
        count += 1
    return labels, count


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.75, 1.0])
def test_parts_are_those_of_a_flood_fill(share):
    masks = torch.rand(6, 13, 17, generator=torch.Generator().manual_seed(1)) < share
    found = components(masks)
    for one in range(len(masks)):
        labels, count = flooded(masks[one].numpy())
        assert np.array_equal(found.labels[one].numpy(), labels) and int(found.count()[one]) == count
        for part in range(count):
            rows, columns = np.nonzero(labels == part)
            assert found.areas[one, part] == len(rows)
            assert np.allclose(found.centres[one, part].numpy(), (columns.mean() + 0.5, rows.mean() + 0.5))
            edge = rows.min() == 0 or columns.min() == 0 or rows.max() == 12 or columns.max() == 16
            assert bool(found.at_edge[one, part]) == edge
        assert (found.areas[one, count:] == 0).all()


def test_a_part_may_wind_as_it_likes_and_corners_do_not_touch():
    spiral = torch.tensor([list(row) for row in (b"#######", b"......#", b"#####.#", b"#...#.#", b"#.###.#",
                                                 b"#.....#", b"#######")]) == ord("#")  # fmt: skip
    assert components(spiral[None]).areas.tolist() == [[int(spiral.sum())]]
    assert components(torch.eye(5, dtype=torch.bool)[None]).count().tolist() == [5]


def test_counting_asks_for_areas_above_the_one_and_up_to_the_other():
    mask = torch.zeros(1, 5, 9, dtype=torch.bool)
    mask[0, 0, :3], mask[0, 2, :5], mask[0, 4, 4] = True, True, True
    found = components(mask)
    assert [int(found.count(*limits)) for limits in ((), (1,), (1, 3), (3, 4), (0, 5))] == [3, 2, 1, 0, 3]


def test_what_is_no_mask_is_refused():
    with pytest.raises(ValueError, match=r"components are of masks, bool \(B, H, W\); found torch.uint8 \(2, 4, 4\)"):
        components(torch.zeros(2, 4, 4, dtype=torch.uint8))
