"""Directions without any attribute: principal components (GANSpace), and the weights of the first layers (SeFa)."""

__all__ = ["principal_components", "weight_directions"]

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from zerosum.latent.model import Inputs
from zerosum.latent.space import Space

_AT_ONCE = 250  # images made together
_EXACT = 1e-3  # relative error below which a layer is taken to be affine


def principal_components(space: Space, inputs: Inputs, count: int = 5) -> Tensor:
    """The principal components of w or, in z, of the activations of G's first layer: GANSpace.

    Haerkoenen et al. 2020 (arXiv 2004.02546). In z, the components' coordinates are regressed back: the direction is
    the change of z per coordinate, by least squares. Sorted by variance, the largest first.

    Args:
        space: any space.
        inputs: inputs of n samples, more than the space has dimensions; all are taken under the condition of the first,
            unless the space is the condition.
        count: number of components.

    Returns:
        Directions of length 1, `(count, *shape)`.

    Raises:
        ValueError: where the space has fewer dimensions.
    """
    if inputs.c is not None and space.name != "condition":
        inputs = inputs._replace(c=inputs.c[:1].expand_as(inputs.c))  # else the first components were the classes
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
    chosen = layers if space.name != "z" else layers[:1]
    outputs = _activations(space, chosen, units, _repeated(one, len(units)))
    rows = [found[:-1] - found[-1] for found in outputs.values()]
    weights = torch.cat([_unit(part.T.double()) for part in rows])
    vectors = torch.linalg.eigh(weights.T @ weights)[1]
    made: Tensor = vectors.flip(1)[:, :count].T.float().reshape(count, *shape)
    return made


def _check(count: int, dimensions: int) -> None:
    if not 1 <= count <= dimensions:
        raise ValueError(f"here are 1 to {dimensions} components; found {count}")


def _unit(rows: Tensor) -> Tensor:
    lengths: Tensor = rows.norm(dim=1, keepdim=True)
    return rows / lengths.clamp_min(1e-12)


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


@torch.no_grad()
def _activations(space: Space, names: Iterable[str], points: Tensor, inputs: Inputs) -> dict[str, Tensor]:
    """The outputs `(n, d)` of layers by name, in the order of their calls; of one called twice, its first."""
    found, outputs = _layers(space), dict[str, list[Tensor]]()
    rows = [slice(start, start + _AT_ONCE) for start in range(0, len(points), _AT_ONCE)]
    now: dict[str, Tensor] = {}

    def record(name: str, output: object, count: int) -> None:
        if name not in now and isinstance(output, Tensor) and output.dim() > 1 and len(output) >= count:
            now[name] = output[-count:].float().flatten(1).cpu()  # a virtual batch norm's reference comes before

    for row in rows:
        count = len(points[row])
        handles = [
            found[name].register_forward_hook(lambda _, __, out, name=name, count=count: record(name, out, count))
            for name in names
        ]
        try:
            space.outputs(points[row], inputs.rows(row))
        finally:
            for handle in handles:
                handle.remove()
        for name, output in now.items():
            outputs.setdefault(name, []).append(output)
        now.clear()
    return {name: torch.cat(parts) for name, parts in outputs.items()}


def _affine(space: Space, points: Tensor, one: Inputs) -> list[str]:
    """The layers whose output is an affine function of the point, and not constant, in the order of their calls."""
    first, second = points[0], points[1]
    probe = torch.stack([first, second, first + second, torch.zeros_like(first)])
    found = []
    for name, (a, b, both, none) in _activations(space, _layers(space), probe, _repeated(one, 4)).items():
        size = (a - none).norm() + (b - none).norm()
        if size > 0 and (a + b - both - none).norm() <= _EXACT * size:
            found.append(name)
    if not found:
        raise ValueError(f"no layer of this generator is an affine function of {space.name}: use pca, or another space")
    return found


def _first(space: Space, points: Tensor, inputs: Inputs) -> Tensor:
    """The activations `(n, d)` of the first layer that depends on the point."""
    two = _activations(space, _layers(space), points[:2], _repeated(inputs.rows(slice(1)), 2))
    changing = [name for name, (first, second) in two.items() if bool((first != second).any())]
    if not changing:
        raise ValueError(f"no layer of this generator depends on {space.name}, so it has no components")
    return _activations(space, changing[:1], points, inputs)[changing[0]]


def _repeated(one: Inputs, count: int) -> Inputs:
    return Inputs(one.z.expand(count, -1), None if one.c is None else one.c.expand(count, *one.c.shape[1:]))
