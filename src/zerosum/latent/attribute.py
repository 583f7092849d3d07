"""Attributes to steer by: formulas, columns of the data, classes, and functions of the user."""

__all__ = ["Attribute", "formulas", "own_attribute"]

import difflib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zerosum._rooms import public
from zerosum.latent.attributes import colour_images, drawings

_PERIODS = {"hue": 360.0}  # of attributes that are angles of a whole turn
_FOUND = 0.9  # of the images at least have a value


@dataclass(frozen=True, eq=False)
class Attribute:
    """A number that images have.

    Attributes:
        name: its name.
        call: maps float images `(N, C, H, W)` in [-1, 1] to `(N,)`; NaN for images without a value.
        period: values that differ by it are equal, as 360 of degrees; None for numbers on a line.
        trained: whether a network that was trained on the data predicts it.
    """

    name: str
    call: Callable[[Tensor], Tensor]
    period: float | None = None
    trained: bool = False

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Values of images `(N, C, H, W)` in [-1, 1], float64 `(N,)`.

        Raises `ValueError` where more than a tenth of the images have none.
        """
        found = self.call(images).double()
        share = float(found.isfinite().double().mean())
        if share < _FOUND:
            raise ValueError(
                f"{self.name} is not a number for {1 - share:.0%} of the images, more than 10 %: they are constant, or "
                f"have no such thing"
            )
        return found

    def difference(self, values: Tensor, others: Tensor) -> Tensor:
        """values - others, of angles the shorter way around."""
        plain = values - others
        if self.period is None:
            return plain
        return plain - self.period * torch.round(plain / self.period)

    def centred(self, values: Tensor) -> Tensor:
        """Values minus their mean; of angles, the circular mean."""
        known = values[values.isfinite()]
        if self.period is None:
            return values - known.mean()
        turn = 2 * torch.pi / self.period
        middle = torch.atan2((known * turn).sin().mean(), (known * turn).cos().mean()) / turn
        return self.difference(values, middle)

    def spread(self, values: Tensor) -> float:
        """The standard deviation of values; raises `ValueError` for an attribute that never changes."""
        centred = self.centred(values)
        std = float(centred[centred.isfinite()].std())
        if not std > 1e-9 * max(1.0, float(values[values.isfinite()].abs().max())):
            raise ValueError(f"{self.name} is the same for all images, so no direction changes it")
        return std


def formulas(channels: int) -> dict[str, Attribute]:
    """The attributes of images of so many channels by name: of drawings where they are grey, of colours else."""
    rooms = {module.__name__: module for module in (drawings, colour_images)}
    found = {
        name: Attribute(name, call, _PERIODS.get(name))
        for name, call in public("zerosum.latent").items()
        if inspect.isfunction(call) and call.__module__ in rooms
    }
    wanted = drawings.__name__ if channels < 3 else colour_images.__name__
    return {name: one for name, one in found.items() if one.call.__module__ == wanted}


def own_attribute(function: Callable[[Tensor], Any], name: str = "") -> Attribute:
    """Any function of images as an attribute: uint8 images `(N, H, W, C)` to a number for each, `(N,)`.

    The attribute raises `ValueError` where the function returns anything else.
    """
    called = name or getattr(function, "__name__", "attribute")

    def call(images: Tensor) -> Tensor:
        found = function(((images + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous())
        try:
            values = torch.as_tensor(found).detach().cpu().double()
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"{called} should return a number for each image; found {type(found).__name__}") from error
        if values.shape != (len(images),):
            raise ValueError(
                f"{called} should return a number for each of {len(images)} images; found {tuple(values.shape)}"
            )
        return values

    return Attribute(called, call)


def all_formulas() -> dict[str, Attribute]:
    """All formulas by name."""
    return formulas(1) | formulas(3)


def unknown(name: str, known: Iterable[str]) -> ValueError:
    """The error for an attribute of an unknown name."""
    names = [*known]
    close = difflib.get_close_matches(name, names, n=3) or names
    return ValueError(f"no attribute is called {name!r}; there are {', '.join(close)}")
