"""Checks for NaN and Inf in losses and gradients: reported by part, before the optimiser steps."""

__all__ = ["NonFiniteError"]

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


class NonFiniteError(ArithmeticError):
    """A loss part or gradient is NaN or Inf; the message names the player and the part."""


def _finite(log: Mapping[str, Tensor]) -> Tensor:
    # The norm of the gradient is finite only if every gradient is.
    return torch.isfinite(torch.stack([*log.values()])).all()


def _stop(log: Mapping[str, Tensor]) -> NonFiniteError:
    """The error for an update's log, whose last value is the gradient norm."""
    bad = [name for name, value in log.items() if not bool(torch.isfinite(value))]
    named = [name for name in bad if name != [*log][-1]] or bad
    return NonFiniteError(f"{', '.join(named)} is no longer a finite number")


def check_finite(log: Mapping[str, Tensor]) -> None:
    """Raise `NonFiniteError` where a part of an update's loss or its gradient is NaN or Inf."""
    if not bool(_finite(log)):
        raise _stop(log)


@dataclass(eq=False)
class DeferredCheck:
    """The same without waiting for the device: the result for an update is read after the next one is launched.

    Until then the device itself skips updates: `bad` is 1 from the first non-finite update on, and where it is, the
    optimisers' steps and the generator's EMA change nothing.

    Attributes:
        bad: a scalar on the device, 1 since the first non-finite update, else 0.
    """

    bad: Tensor
    _unread: tuple[dict[str, Tensor], Tensor, torch.cuda.Event | None] | None = field(default=None, init=False)

    def note(self, log: Mapping[str, Tensor]) -> None:
        """Check the update before, and record this one; raises `NonFiniteError`."""
        self.read()
        self.bad = torch.maximum(self.bad, (~_finite(log)).float())
        if not self.bad.is_cuda:
            self._unread = (dict(log), self.bad, None)
            return
        # Into pinned memory, or the copy itself would wait for the device.
        host, copied = torch.empty((), pin_memory=True), torch.cuda.Event()  # type: ignore[no-untyped-call]
        host.copy_(self.bad, non_blocking=True)
        copied.record()
        self._unread = (dict(log), host, copied)

    def read(self) -> None:
        """Raise `NonFiniteError` where the last update recorded was not finite."""
        if self._unread is None:
            return
        log, bad, copied = self._unread
        if copied is not None:
            copied.synchronize()
        if bool(bad):
            raise _stop(log)
        self._unread = None
