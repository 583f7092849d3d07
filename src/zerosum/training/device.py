"""In which number format a run computes, and what its process takes."""

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
    """`float32` or `bfloat16`; `auto` takes bfloat16 for pictures on devices that compute in it natively.

    Raises `ValueError` where bfloat16 is asked of a device that only emulates it.
    """
    if name == "auto":
        return "bfloat16" if convolutional and has_bfloat16(device) else "float32"
    if name == "bfloat16" and not has_bfloat16(device):
        raise ValueError(f"this {device.type} device does not compute in bfloat16; use --precision float32")
    return name


def precision_context(name: str, device: torch.device) -> Callable[[], AbstractContextManager[None]]:
    """What makes the context of a precision: autocast for bfloat16, nothing for float32."""
    if name == "float32":
        return nullcontext
    return partial(torch.autocast, device.type, dtype=torch.bfloat16)


def load_warning(device: torch.device) -> str:
    """A sentence on the threads to take where the load of the last minute fills the cores; empty where they are free.

    The threads of a step wait for the slowest of them, and spin: with two other jobs on two cores, `digits` plays 1.6
    rounds a second on two threads and 6.7 on one.
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
        f"in the last minute {load:.1f} threads shared this machine's {cores} cores: if that goes on, this may be "
        f"several times as fast with OMP_NUM_THREADS={free}, for threads that wait for a core hold the others up"
    )


def keep_memory() -> None:
    """Let this process keep the memory that a step frees for the next one, where its C library is glibc.

    Otherwise every large tensor of every step is handed out by the system anew, page by page, and given back: on a CPU
    in float32 a tenth of a step's time. What the process holds at its peak it then holds to its end.
    """
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)


def seed_layers(seed: int, device: torch.device) -> None:
    """Seed the generators that layers draw from by themselves, on the CPU and on the device.

    As `torch.manual_seed`, but for devices that are not in use: for each of these it would keep a stack trace at each
    call, to seed them should they ever be.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
