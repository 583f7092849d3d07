"""What benches leave behind in the process that tests them."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _threads():
    """Some benches set the number of threads, on which the last bits of every sum depend."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
