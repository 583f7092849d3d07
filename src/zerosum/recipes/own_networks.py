"""Networks that a recipe is given as PyTorch modules, or as what makes one, and not as values that build them."""

__all__ = ["OwnDiscriminator", "OwnGenerator"]

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from zerosum.conditions.condition import Condition

Provided = nn.Module | Callable[[], nn.Module]


@dataclass(frozen=True)
class OwnGenerator:
    """A generator that was given as a module `G(z[, c]) -> x`, or as a class or function that makes one.

    Recipe text holds its name and size alone; the module is found again under its name, in `known` or in a file that
    `--use` names. `Recipe(generator=module)` makes one of these.

    Args:
        name: of the module's class, or of the function.
        parameters: how many numbers a module has; None for what makes one.
    """

    name: str
    parameters: int | None = None
    given: Provided | None = field(default=None, init=False, repr=False, compare=False)

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """A copy of the module, its weights as they are, or a new one; latent, shape and condition are its affair."""
        return _built(self)


@dataclass(frozen=True)
class OwnDiscriminator:
    """A discriminator that was given as a module `D(x[, c]) -> score or Judgement`, as `OwnGenerator` otherwise.

    Args:
        name: of the module's class, or of the function.
        parameters: how many numbers a module has; None for what makes one.
    """

    name: str
    parameters: int | None = None
    given: Provided | None = field(default=None, init=False, repr=False, compare=False)

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """A copy of the module, its weights as they are, or a new one; shape and condition are its affair."""
        return _built(self)


OwnNetwork = OwnGenerator | OwnDiscriminator


def wrapped(kind: type[OwnGenerator] | type[OwnDiscriminator], value: Any) -> Any:
    """A module, or what makes one, as a value that a recipe can hold; anything else as it is.

    Raises `ValueError` for a lambda, which has no name.
    """
    if isinstance(value, nn.Module):
        made = kind(type(value).__name__, _count(value))
    elif inspect.isfunction(value) or (inspect.isclass(value) and issubclass(value, nn.Module)):
        if value.__name__ == "<lambda>":
            raise ValueError("a lambda has no name by which its run could be loaded: give a function made with def")
        made = kind(value.__name__)
    else:
        return value
    object.__setattr__(made, "given", value)
    return made


def found(network: OwnNetwork, known: Mapping[str, Any]) -> OwnNetwork:
    """The network with what is known under its name and size, or else its name, if anything is."""
    given = known.get(module_key(network.name, network.parameters), known.get(network.name))
    if isinstance(given, nn.Module) or callable(given):
        object.__setattr__(network, "given", given)
    return network


def module_key(name: str, parameters: int | None) -> str:
    """Under which a module is known by name and size, for there may be several of a class."""
    return f"{name}:{parameters}"


def modules_by_key(values: Mapping[str, Any]) -> dict[str, nn.Module]:
    """The modules among values, as `found` looks for them."""
    modules = [value for value in values.values() if isinstance(value, nn.Module)]
    return {module_key(type(module).__name__, _count(module)): module for module in modules}


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _built(network: OwnNetwork) -> nn.Module:
    """Build a network; raises `ValueError` where what was given is not here, or is something else."""
    name, given = network.name, network.given
    if given is None:
        raise ValueError(
            f"{name} is a network that was given in Python: pass --use FILE.py (or known={{'{name}': ...}} in Python)"
        )
    if isinstance(given, nn.Module):
        module = copy.deepcopy(given)
    else:
        try:
            module = given()
        except TypeError as error:
            raise ValueError(f"{name}() fails: {error}; give a module, or a function without arguments") from error
    if not isinstance(module, nn.Module):
        raise ValueError(f"{name}() should return a torch.nn.Module; found {type(module).__name__}")
    if network.parameters is not None and _count(module) != network.parameters:
        raise ValueError(
            f"{name} has {_count(module):,} parameters here and had {network.parameters:,} when it was given: give the "
            f"module itself, as known={{'{name}': module}} in Python, or a file with a recipe that holds it"
        )
    return module
