"""Directions without any attribute: principal components (GANSpace), and the weights of the first layers (SeFa)."""

__all__ = ["principal_components", "weight_directions"]

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from zerosum.latent.model import Inputs
from zerosum.latent.space import Space

_EXACT = 1e-3  # relative error below which a layer is taken to be affine


def principal_components(space: Space, inputs: Inputs, count: int = 5) -> Tensor:
    """The principal components of w or, in z, of the activations of G's first layer: GANSpace.

    Haerkoenen et al. 2020 (arXiv 2004.02546). In z, the components' coordinates are regressed back: the direction is
    the change of z per coordinate, by least squares. Sorted by variance, the largest first.

    Args:
        space: any space.
        inputs: inputs of n samples, more than the space has dimensions.
        count: number of components.

    Returns:
        Directions of length 1, `(count, *shape)`.

    Raises:
        ValueError: where the space has fewer dimensions.
    """
    with torch.no_grad():
        points = space.at(inputs)
    flat = points.flatten(1).double()
    seen = _first(space, points, inputs).double() if space.name == "z" else flat
    _check(count, min(flat.shape[1], seen.shape[1]))
    centred = seen - seen.mean(0)
    _, _, basis = torch.linalg.svd(centred, full_matrices=False)
    found = basis[:count]
    if space.name == "z":
        coordinates = centred @ found.T
        found = torch.linalg.lstsq(coordinates, flat - flat.mean(0)).solution
    made: Tensor = _unit(found).float().view(count, *points.shape[1:])
    return made


def weight_directions(space: Space, inputs: Inputs, count: int = 5) -> Tensor:
    """The directions that the first layers amplify most, from their weights alone: SeFa.

    Shen and Zhou 2021 (arXiv 2007.06600): eigenvectors of A^T A by decreasing eigenvalue, where the rows of A are the
    weights of the layers that take the point, each of length 1 as in the authors' code: in z the first layer, in w the
    affine maps to the styles of all layers. Returns directions of length 1, `(count, *shape)`.

    Raises `ValueError` where no layer is affine in the point, as after a normalisation.
    """
    with torch.no_grad():
        points = space.at(inputs)
    shape, one = points.shape[1:], inputs.rows(slice(1))
    dimensions = points[0].numel()
    _check(count, dimensions)
    units = torch.cat([torch.eye(dimensions), torch.zeros(1, dimensions)]).view(-1, *shape)
    layers = _affine(space, points, one)
    with _recorded(space, layers if space.name != "z" else layers[:1]) as outputs:
        space.images(units, _repeated(one, len(units)))
    rows = [torch.cat(found)[:-1] - torch.cat(found)[-1] for found in outputs.values()]
    weights = torch.cat([_unit(part.T.double()) for part in rows])
    _, vectors = torch.linalg.eigh(weights.T @ weights)
    made: Tensor = vectors.flip(1)[:, :count].T.float().reshape(count, *shape)
    return made


def _check(count: int, dimensions: int) -> None:
    if not 1 <= count <= dimensions:
        raise ValueError(f"here are 1 to {dimensions} components; found {count}")


def _unit(rows: Tensor) -> Tensor:
    return rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-12)


def _layers(space: Space) -> dict[str, nn.Module]:
    """The layers with weights of the network that takes the points, by name."""
    network = space.model.call if space.name in ("z", "condition") else space.model.part("synthesis")
    if not isinstance(network, nn.Module):
        raise ValueError("this method reads the layers of a network, and the generator is a plain function: use line")
    return {
        name: module
        for name, module in network.named_modules()
        if not {child for child, _ in module.named_children()} - {"parametrizations"}
        and any(True for _ in module.parameters())
        and "parametrizations" not in name.split(".")[:-1]
    }


@contextmanager
def _recorded(space: Space, names: list[str]) -> Iterator[dict[str, list[Tensor]]]:
    """The outputs of layers by name in the order of their calls, `(n, -1)` each."""
    outputs: dict[str, list[Tensor]] = {}

    def record(name: str, output: object) -> None:
        if isinstance(output, Tensor) and output.dim() > 1:
            outputs.setdefault(name, []).append(output.detach().float().flatten(1).cpu())

    found = _layers(space)
    handles = [found[n].register_forward_hook(lambda _, __, out, n=n: record(n, out)) for n in names]
    try:
        with torch.no_grad():
            yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _affine(space: Space, points: Tensor, one: Inputs) -> list[str]:
    """The layers whose output is an affine function of the point, and not constant, in the order of their calls."""
    first, second = points[0], points[1]
    probe = torch.stack([first, second, first + second, torch.zeros_like(first)])
    with _recorded(space, [*_layers(space)]) as outputs:
        space.images(probe, _repeated(one, 4))
    found = []
    for name, parts in outputs.items():
        a, b, both, none = parts[0][:4] if len(parts[0]) == 4 else torch.zeros(4, 1)
        size = (a - none).norm() + (b - none).norm()
        if size > 0 and (a + b - both - none).norm() <= _EXACT * size:
            found.append(name)
    if not found:
        raise ValueError(f"no layer of this generator is an affine function of {space.name}: use pca, or another space")
    return found


def _first(space: Space, points: Tensor, inputs: Inputs) -> Tensor:
    """The activations `(n, d)` of the first layer that depends on the point."""
    one = inputs.rows(slice(1))
    with _recorded(space, [*_layers(space)]) as outputs:
        space.images(points[:2], _repeated(one, 2))
    changing = [n for n, (first, *_) in outputs.items() if len(first) == 2 and bool((first[0] != first[1]).any())]
    if not changing:
        raise ValueError(f"no layer of this generator depends on {space.name}, so it has no components")
    with _recorded(space, changing[:1]) as outputs:
        space.images(points, inputs)
    return torch.cat(outputs[changing[0]])


def _repeated(one: Inputs, count: int) -> Inputs:
    return Inputs(one.z.expand(count, -1), None if one.c is None else one.c.expand(count, *one.c.shape[1:]))
