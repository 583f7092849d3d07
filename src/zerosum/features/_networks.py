"""Data types, facts and batching of extractors that are networks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor

from zerosum.features._images import checked

FORMATS = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float64: "float64"}
_T = TypeVar("_T")


def format_name(dtype: torch.dtype) -> str:
    """The name of a data type; raises `ValueError` for an unsupported one."""
    if dtype not in FORMATS:
        raise ValueError(f"a network computes in {', '.join(FORMATS.values())}; found {dtype}")
    return FORMATS[dtype]


def network_facts(name: str, weights: str, resize: str, dtype: torch.dtype, dimensions: int) -> dict[str, str]:
    """The facts of a network for the protocol; `weights` is the sha256 of its file."""
    return {
        "name": name,
        "weights": weights,
        "resize": resize,
        "dtype": format_name(dtype),
        "dimensions": str(dimensions),
    }


def in_blocks(
    images: Tensor, device: torch.device, read: Callable[[Tensor], _T], dtype: torch.dtype = torch.float32
) -> list[_T]:
    """Check images and process them in blocks, so that memory does not grow with the batch."""
    size = 32 // dtype.itemsize if device.type == "cpu" else 64  # on a CPU, larger blocks are no faster
    with torch.no_grad(), exact(device):
        return [read(block) for block in torch.split(checked(images), size)]


@contextmanager
def exact(device: torch.device) -> Iterator[None]:
    """Compute float32 convolutions in float32: by default, cuDNN uses TF32, with 10 bits."""
    if device.type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield
