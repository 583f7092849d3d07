"""The device of networks in training, sampling and evaluation."""

import torch

__all__ = ()


def choose_device(name: str = "auto") -> torch.device:
    """The device by name (`cpu`, `cuda`, `cuda:1`, `mps`); `auto` chooses the fastest that is available.

    Raises `ValueError` where the named device is not available.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, available in there.items() if available))
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or not there.get(device.type, False):
        usable = ", ".join(kind for kind, available in there.items() if available)
        raise ValueError(f"no device {name!r} here; there is {usable}")
    return device
