"""The protocol of feature extractors, functions as extractors, and extractors by name."""

import hashlib
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from zerosum._rooms import public
from zerosum.features._images import checked, without_alpha
from zerosum.features._naming import ExtractorOptions

HALF = "-bfloat16"  # suffix of the name of a network in bfloat16


class Features(NamedTuple):
    """The output of an extractor for a batch of images.

    Attributes:
        features: `(B, d)`, float32, on the CPU.
        logits: of the classes that the extractor was trained on, `(B, K)`, float32, on the CPU; None if it has none.
    """

    features: Tensor
    logits: Tensor | None = None


@runtime_checkable
class Extractor(Protocol):
    """Maps uint8 images `(B, H, W, C)` of 1 or 3 channels, any height and width, to features, each independently."""

    @property
    def facts(self) -> Mapping[str, str]:
        """Facts for the protocol of a score: name, sha256 of its weights, resize, dtype, dimensions."""
        ...

    def __call__(self, images: Tensor) -> Features:
        """Return the features of a batch, float32 on the CPU; raise `ValueError` for anything but such images."""
        ...


@runtime_checkable
class _Kind(Protocol):
    """A class of extractors that has a name for the command line."""

    name: str

    def named(self, options: ExtractorOptions) -> Extractor:
        """Return an extractor with these options; raise `ValueError` for unsupported options."""
        ...


@dataclass(frozen=True, eq=False)
class Function:
    """Any function of images as an extractor.

    Attributes:
        call: takes uint8 images `(B, H, W, C)` and returns features `(B, d)`, as a tensor or an array; or `Features`.
        name: name in the protocol of scores.
        more: further facts for the protocol, such as the hash of its weights.
    """

    call: Callable[[Tensor], Any]
    name: str
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> Mapping[str, str]:
        """The name and the further facts."""
        return {"name": self.name, "weights": "unknown", "resize": "unknown", "dtype": "unknown", **self.more}

    def __call__(self, images: Tensor) -> Features:
        """Return the features; raises `ValueError` unless the function returns one row of numbers per image."""
        return _checked_features(self.call(checked(images)), len(images), self.name)


def extracted(extractor: Extractor, images: Tensor) -> Features:
    """Return the features of uint8 images `(B, H, W, C)`, float32 on the CPU; images with alpha are put on white.

    Raises:
        ValueError: if the extractor refuses the images, or returns anything else than a row of numbers per image.
    """
    found = extractor(without_alpha(images))
    return _checked_features(found, len(images), extractor.facts.get("name", type(extractor).__name__))


def _checked_features(found: Any, count: int, name: str) -> Features:
    features, logits = found if isinstance(found, Features) else (found, None)
    return Features(_rows(features, count, name), None if logits is None else _rows(logits, count, name))


def _rows(found: Any, count: int, name: str) -> Tensor:
    try:
        rows = torch.as_tensor(found).detach().to("cpu", torch.float32)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} should return features ({count}, d); found {type(found).__name__}") from error
    if rows.dim() != 2 or len(rows) != count or not rows.shape[1]:
        raise ValueError(f"{name} should return features ({count}, d); found {tuple(rows.shape)}")
    return rows


def extractor_kinds() -> dict[str, Any]:
    """Return the extractor classes of this package, by name."""
    return {kind.name: kind for kind in public(__package__).values() if isinstance(kind, _Kind)}


def extractor_named(
    text: str, device: str | torch.device = "cpu", progress: Callable[[int, int], None] | None = None
) -> Extractor:
    """Return the extractor of a name, as in `--features`.

    The name is that of a class of this package, with an argument after a colon if it takes one (`inception:FILE`), and
    with the suffix `-bfloat16` for a network in bfloat16; or `package.module:function` (or an extractor), whose module
    is imported, which runs its code.

    Args:
        text: as above.
        device: device of networks.
        progress: called with the bytes downloaded and the total while weights are downloaded.

    Raises:
        ValueError: for an unknown name, or if the extractor cannot be created.
    """
    name, colon, argument = text.partition(":")
    found = extractor_kinds()
    half = name.endswith(HALF)
    kind = found.get(name.removesuffix(HALF))
    if kind is not None:
        dtype = torch.bfloat16 if half else torch.float32
        made: Extractor = kind.named(ExtractorOptions(argument, dtype, torch.device(device), progress))
        return made
    if not colon:
        raise ValueError(
            f"no extractor is called {text!r}; there is {', '.join(found)}, or package.module:function; if it is in a "
            f"file of yours, pass --use FILE.py"
        )
    return _imported(name, argument)


def _imported(module: str, name: str) -> Extractor:
    try:
        home = importlib.import_module(module)
    except (ImportError, ValueError, TypeError) as error:
        raise ValueError(
            f"module {module!r} cannot be imported: {error}; one in this folder is found with PYTHONPATH=."
        ) from error
    if name not in vars(home):
        raise ValueError(f"module {module!r} has no {name!r}")
    return extractor_from(vars(home)[name], f"{module}:{name}", home)


def extractor_from(value: Any, name: str, home: ModuleType | None = None) -> Extractor:
    """Return an extractor as it is, or a function of images as one.

    Args:
        value: an extractor or a function.
        name: what scores call the function.
        home: the module with the function, by default the one that defines it; the hash of its file is among the facts.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, type) or not callable(value):
        raise ValueError(f"{name} should be a function of images or an extractor; found {value!r}")
    if isinstance(value, Extractor):
        return value
    return Function(value, name, _code(home or inspect.getmodule(value) or inspect.getmodule(type(value))))


def _code(module: ModuleType | None) -> dict[str, str]:
    """The hash of a module's file: the same function in a changed file is another extractor."""
    path = getattr(module, "__file__", None)
    return {"code": hashlib.sha256(Path(path).read_bytes()).hexdigest()} if path else {}
