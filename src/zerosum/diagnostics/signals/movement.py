"""How far samples of the same latents move: over time, along a latent, between the live and the averaged G."""

__all__ = ()

import torch
from torch import Tensor

from zerosum.diagnostics.signals.subject import Subject

_STEP = 0.05  # along z, of which the change is taken as linear
_FEW = 64  # latents


def movement(subject: Subject) -> dict[str, Tensor]:
    """Shift since the last check-up and return to the one before, each over the mean distance of two samples."""
    found = {}
    for suffix, samples in subject.both.items():
        now, width = samples.features, samples.spread.clamp_min(1e-12)
        last, first = (subject.before.get(f"{name}{suffix}") for name in ("last", "first"))
        if last is not None and last.shape == now.shape:
            moved = (now - last).norm(dim=1).mean()
            found[f"shift{suffix}"] = moved / width
            if first is not None and first.shape == now.shape:
                found[f"return{suffix}"] = (now - first).norm(dim=1).mean() / moved.clamp_min(1e-12)
            subject.after[f"first{suffix}"] = last
        subject.after[f"last{suffix}"] = now
    return found


def average(subject: Subject) -> dict[str, Tensor]:
    """The distance of the averaged G from the live one: of samples, and of weights."""
    live, G = subject.live, subject.trained.networks.get("G")
    if live is None or G is None:
        return {}
    own = subject.average
    moved = (own.features - live.features).norm(dim=1).mean()
    found = {"average_gap": moved / own.spread.clamp_min(1e-12)}
    averaged = dict(subject.averaged.named_parameters())
    pairs = [(averaged[name].detach(), weight.detach()) for name, weight in G.named_parameters() if name in averaged]
    if not pairs:  # the averaged one is another network
        return found
    gap = torch.stack([(a - b).float().norm() for a, b in pairs]).norm()
    size = torch.stack([b.float().norm() for _, b in pairs]).norm()
    return {**found, "average_lag": gap / size}


def response(subject: Subject) -> dict[str, Tensor]:
    """The change of samples along one random direction of z, by a difference: |J v| over the value for a linear G.

    For a linear G, E|J v|^2 with a direction v of E|v|^2 = 1 in each dimension is the variance of the samples.
    """
    z, c = subject.z[:_FEW], None if subject.real.c is None else subject.real.c[:_FEW]
    direction = subject.latents("direction")[:_FEW] - subject.z.mean(0)
    # Directions have the distribution of z itself: so they fit latents of any prior.
    moved = subject.generate(subject.averaged, z + _STEP * direction, c)
    here = subject.average.x[:_FEW]
    change = (moved - here).flatten(1).norm(dim=1).square().mean().sqrt() / _STEP
    whole = subject.average.x.flatten(1)
    size = (whole - whole.mean(0)).norm(dim=1).square().mean().sqrt()
    return {"response": change / size.clamp_min(1e-12)}
