"""Updates of the weights in two successive iterations after a check-up: their size and direction."""

__all__ = ()

from collections.abc import Mapping

import torch
from torch import Tensor, nn

_NETWORKS = ("G", "D")


class Updates:
    """Compares the weights of G and D after three successive iterations.

    `begin` after the first, `go_on` after the other two. Between these the weights are part of the state.
    """

    def __init__(self) -> None:
        self.kept: dict[str, Tensor] = {}

    def begin(self, networks: Mapping[str, nn.Module]) -> None:
        """Keep the weights."""
        self.kept = {f"weights.{name}": _flat(networks[name]) for name in _NETWORKS if _trains(networks.get(name))}

    def go_on(self, networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """The sizes of the first updates, then the cosine between them and the second."""
        found: dict[str, Tensor] = {}
        kept: dict[str, Tensor] = {}
        for name in _NETWORKS:
            before, first = self.kept.get(f"weights.{name}"), self.kept.get(f"update.{name}")
            if before is None or not _trains(networks.get(name)):
                continue
            now = _flat(networks[name])
            if before.shape != now.shape:
                continue
            update = now - before
            if first is None:
                found[f"update_{name}"] = update.norm() / before.norm().clamp_min(1e-12)
                kept |= {f"weights.{name}": now, f"update.{name}": update}
            else:
                found[f"turn_{name}"] = torch.cosine_similarity(first, update, dim=0)
        self.kept = kept
        return found


def _trains(network: nn.Module | None) -> bool:
    return network is not None and any(weight.requires_grad for weight in network.parameters())


def _flat(network: nn.Module) -> Tensor:
    return torch.cat([w.detach().float().flatten() for w in network.parameters() if w.requires_grad])
