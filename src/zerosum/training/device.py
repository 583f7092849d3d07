"""Precision, threads and memory of a run."""

__all__ = ()

import ctypes
import math
import os
import platform
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # what malloc.h calls them


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 natively, so that it is faster than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def choose_precision(name: str, device: torch.device, convolutional: bool) -> str:
    """`float32` or `bfloat16`; `auto` is bfloat16 for images on devices that support it natively.

    Raises `ValueError` for bfloat16 on a device that only emulates it.
    """
    if name == "auto":
        return "bfloat16" if convolutional and has_bfloat16(device) else "float32"
    if name == "bfloat16" and not has_bfloat16(device):
        raise ValueError(f"this {device.type} device does not compute in bfloat16; use --precision float32")
    return name


def precision_context(name: str, device: torch.device) -> Callable[[], AbstractContextManager[None]]:
    """Return a factory of contexts: autocast for bfloat16, a null context for float32."""
    if name == "float32":
        return nullcontext
    return partial(torch.autocast, device.type, dtype=torch.bfloat16)


def load_warning(device: torch.device) -> str:
    """A warning with a better number of threads where the load of the last minute fills the cores; else empty.

    The threads of a step busy-wait for the slowest: with two other jobs on two cores, `digits` runs 1.6 iterations per
    second on two threads and 6.7 on one.
    """
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows does not count it
        load = 0.0
    cores = os.cpu_count() or 1
    free = max(1, math.floor(cores - load) + 1)
    if device.type != "cpu" or torch.get_num_threads() <= free:
        return ""
    return (
        f"in the last minute {load:.1f} threads shared this machine's {cores} cores: if that continues, training may "
        f"be several times as fast with OMP_NUM_THREADS={free}"
    )


def keep_memory() -> None:
    """Reuse the memory that a step frees in the next one, where the C library is glibc.

    Otherwise every large tensor of every step is allocated and returned page by page by the system: on a CPU in float32
    a tenth of a step's time. The process then keeps its peak memory to its end.
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def seed_layers(seed: int, device: torch.device) -> None:
    """Seed the global generators, used by layers such as dropout, on the CPU and on the device.

    As `torch.manual_seed`, without devices that are not in use: for each of these it would store a stack trace at each
    call, for seeding them later.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
