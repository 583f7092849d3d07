"""What a machine lacks for `benchmarks.gpu`, in sentences."""

import importlib.util
import os
import shutil

import torch

from zerosum.training.device import has_bfloat16

LEAST_CAPABILITY = (7, 0)  # of a GPU, for Triton


def missing_device(device: torch.device) -> str:
    """Why there is no such device; empty where there is one."""
    if device.type != "cuda" or torch.cuda.is_available():
        return ""
    if torch.version.cuda is None:
        return f"this PyTorch ({torch.__version__}) is built without CUDA: install a build with it (pytorch.org)"
    return "PyTorch finds no CUDA device: `nvidia-smi` should list one, and its driver be as new as CUDA's version"


def missing_compiler(device: torch.device) -> str:
    """Why `torch.compile` cannot work; empty where it can, as far as one sees without trying."""
    names = ("cc", "gcc", "clang") if device.type == "cuda" else ("c++", "g++", "clang++")
    given = os.environ.get("CC" if device.type == "cuda" else "CXX")
    if not any(map(shutil.which, (given,) if given else names)):
        return f"torch.compile needs a compiler, one of {', '.join(names)}, and none is on the PATH"
    if device.type != "cuda":
        return ""
    if importlib.util.find_spec("triton") is None:
        return "torch.compile needs Triton for a GPU: pip install triton"
    if torch.cuda.get_device_capability(device) < LEAST_CAPABILITY:
        found, least = (".".join(map(str, v)) for v in (torch.cuda.get_device_capability(device), LEAST_CAPABILITY))
        return f"torch.compile needs a GPU of compute capability {least}, and this one has {found}"
    return ""


def missing_bfloat16(device: torch.device) -> str:
    """Why nothing is measured in bfloat16; empty where it is."""
    return "" if has_bfloat16(device) else "the device only emulates bfloat16: steps are measured in float32 alone"


def device_name(device: torch.device) -> str:
    """The GPU with its memory, or the device's type."""
    if device.type != "cuda":
        return device.type
    facts = torch.cuda.get_device_properties(device)
    return f"{facts.name}, {facts.total_memory / 1e9:.0f} GB"
