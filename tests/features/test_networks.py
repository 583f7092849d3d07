"""What the extractors that are networks share."""

import pytest
import torch

from zerosum.features._networks import in_blocks


@pytest.mark.parametrize(
    ("dtype", "sizes"),
    [(torch.float32, [8, 8, 8, 8, 5]), (torch.bfloat16, [16, 16, 5]), (torch.float64, [4] * 9 + [1])],
)
def test_images_are_read_a_few_at_a_time_the_more_the_smaller_their_numbers(dtype, sizes):
    images = torch.zeros(37, 4, 4, 3, dtype=torch.uint8)
    assert in_blocks(images, torch.device("cpu"), len, dtype) == sizes
