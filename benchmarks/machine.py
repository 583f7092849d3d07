"""What a figure was measured on, in words."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

_CPUS = Path("/proc/cpuinfo")


def machine() -> str:
    """Return cores, processor and versions, as every record says them."""
    cores = len(os.sched_getaffinity(0)) if platform.system() == "Linux" else os.cpu_count()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, zerosum {version('zerosum')}"
    return f"{cores} cores of {processor()}, {platform.system()}, {versions}"


def processor() -> str:
    """Return the name of the processor, or of its kind where the system does not tell."""
    lines = _CPUS.read_text().splitlines() if _CPUS.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
