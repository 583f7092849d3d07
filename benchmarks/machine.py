"""A description of the machine for records of measurements."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

_CPUS = Path("/proc/cpuinfo")


def machine() -> str:
    """Return cores, processor and versions, as in every record."""
    cores = len(os.sched_getaffinity(0)) if platform.system() == "Linux" else os.cpu_count()
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, zerosum {version('zerosum')}"
    return f"{cores} cores of {processor()}, {platform.system()}, {versions}"


def processor() -> str:
    """Return the name of the processor, or its architecture if the system has no name."""
    lines = _CPUS.read_text().splitlines() if _CPUS.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
