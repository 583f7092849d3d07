"""Networks given to a recipe as PyTorch modules, or as a class or function that makes one."""

__all__ = ["OwnDiscriminator", "OwnGenerator"]

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from zerosum.conditions.condition import Condition
from zerosum.game.copies import copied
from zerosum.networks.spec import DiscriminatorSpec, GeneratorSpec

Provided = nn.Module | Callable[[], nn.Module]


@dataclass(frozen=True)
class OwnNetwork:
    """Base of both: a network given as a module, or as a class or function that makes one.

    Recipe text holds only its name and size; the module is looked up by name in `known` or in a file passed with
    `--use`.

    Args:
        name: name of the module's class, or of the function.
        parameters: number of parameters of a module; None for a class or function.
    """

    name: str
    parameters: int | None = None
    given: Provided | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def wrapped(cls, value: Any) -> Any:
        """Wrap a module, or a class or function that makes one; return anything else unchanged.

        Raises `ValueError` for a lambda.
        """
        if isinstance(value, nn.Module):
            made = cls(type(value).__name__, _count(value))
        elif inspect.isfunction(value) or (inspect.isclass(value) and issubclass(value, nn.Module)):
            made = cls(own_name(value))
        else:
            return value
        object.__setattr__(made, "given", value)
        return made


@dataclass(frozen=True)
class OwnGenerator(OwnNetwork):
    """A generator `G(z[, c]) -> x` as a value: `Recipe(generator=module)` creates it.

    Args:
        name: name of the module's class, or of the function.
        parameters: number of parameters of a module; None for a class or function.
    """

    def build(self, latent: int, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """Return a copy of the module with its weights, or a new one; latent, shape and condition are ignored."""
        return _built(self)


@dataclass(frozen=True)
class OwnDiscriminator(OwnNetwork):
    """A discriminator `D(x[, c]) -> score or Judgement` as a value: `Recipe(discriminator=module)` creates it.

    Args:
        name: name of the module's class, or of the function.
        parameters: number of parameters of a module; None for a class or function.
    """

    def build(self, shape: tuple[int, ...], condition: Condition | None) -> nn.Module:
        """Return a copy of the module with its weights, or a new one; shape and condition are ignored."""
        return _built(self)


def generator_spec(network: GeneratorSpec | Provided) -> GeneratorSpec:
    """Return what builds a generator: `network` itself, or an `OwnGenerator` of a module, class or function."""
    spec: GeneratorSpec = OwnGenerator.wrapped(network)
    return spec


def discriminator_spec(network: DiscriminatorSpec | Provided) -> DiscriminatorSpec:
    """Return what builds a discriminator: `network` itself, or an `OwnDiscriminator` of a module, class or function."""
    spec: DiscriminatorSpec = OwnDiscriminator.wrapped(network)
    return spec


def own_name(given: Callable[..., Any]) -> str:
    """Return the name by which recipe text refers to a class or function; raise `ValueError` for a lambda."""
    name: str = given.__name__
    if name == "<lambda>":
        raise ValueError("a lambda has no name to load the run by: pass a function defined with def")
    return name


def found(network: OwnNetwork, known: Mapping[str, Any]) -> OwnNetwork:
    """Return the network with its module from `known`, looked up by name and size, then by name."""
    given = known.get(module_key(network.name, network.parameters), known.get(network.name))
    if isinstance(given, nn.Module) or callable(given):
        object.__setattr__(network, "given", given)
    return network


def module_key(name: str, parameters: int | None) -> str:
    """Return the key of a module by class name and size, as there may be several of one class."""
    return f"{name}:{parameters}"


def modules_by_key(values: Mapping[str, Any]) -> dict[str, nn.Module]:
    """Return the modules among values, by `module_key`."""
    modules = [value for value in values.values() if isinstance(value, nn.Module)]
    return {module_key(type(module).__name__, _count(module)): module for module in modules}


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _built(network: OwnNetwork) -> nn.Module:
    """Build a network; raise `ValueError` if its module is missing or does not match."""
    name, given = network.name, network.given
    if given is None:
        raise ValueError(
            f"{name} is a network defined in Python: pass --use FILE.py (or known={{'{name}': ...}} in Python)"
        )
    if isinstance(given, nn.Module):
        module = copied(given)
    else:
        try:
            module = given()
        except TypeError as error:
            raise ValueError(f"{name}() fails: {error}; pass a module, or a function without arguments") from error
    if not isinstance(module, nn.Module):
        raise ValueError(f"{name}() should return a torch.nn.Module; found {type(module).__name__}")
    if network.parameters is not None and _count(module) != network.parameters:
        raise ValueError(
            f"{name} has {_count(module):,} parameters, expected {network.parameters:,}: pass the module itself, as "
            f"known={{'{name}': module}} in Python, or a file with a recipe that contains it"
        )
    return module
