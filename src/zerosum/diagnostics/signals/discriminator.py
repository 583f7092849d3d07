"""What D tells G: slopes of its score and of G's loss in it, scores of held-out samples, penalties, clipping."""

__all__ = ()

import copy
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from zerosum.diagnostics.signals._measures import row_means, share_above
from zerosum.diagnostics.signals.subject import Subject
from zerosum.game.batch import Batch
from zerosum.game.game import Game
from zerosum.game.player import Term, unwrapped
from zerosum.game.random import derived_seed
from zerosum.game.turn import Turn
from zerosum.protocols import HasBoundary, HasReference, Objective
from zerosum.terms.gradient_penalties import Dragan, GradientPenalty, interpolates, squared_gradient_norm
from zerosum.terms.weight_clipping import WeightClip

_BATCHES = 2  # of which D is differentiated, at most


def discriminator(subject: Subject) -> dict[str, Tensor]:
    """Signals of D as it is trained, of its own batch size and on augmented samples."""
    game = subject.game
    if game is None or not game.n_critic:
        return {}
    turns = [*_turns(subject, game)]
    with game.precision():
        found = [_signals(turn, game, _is_ranked(game.objective)) for turn in turns]
        found += [_penalty(turn, game.D.terms) for turn in turns]
        names = {name: None for one in found for name in one}
        means = {name: torch.stack([one[name] for one in found if name in one]).mean() for name in names}
        return {**means, **_held_out(subject, game), **_clipped(game)}


def _is_ranked(objective: Objective) -> bool:
    return not isinstance(objective, HasReference) or objective.reference.ranked


def _turns(subject: Subject, game: Game) -> Iterator[Turn]:
    """Turns of D on batches of the reference and of samples of the live G."""
    live, real, size = subject.live, subject.real, subject.at_once
    assert live is not None
    augment = copy.deepcopy(game.augment)  # it may keep samples
    for start in range(0, min(len(real.x) - size + 1, _BATCHES * size), size):
        rows = slice(start, start + size)
        batch = Batch(real.x[rows], None if real.c is None else real.c[rows], subject.images + start)
        x_fake = live.x[rows].to(batch.x.dtype).requires_grad_()
        turn = game.turn(game.D, batch, batch.x.detach().requires_grad_(), x_fake, subject.z[rows])
        draws = replace(turn.draws, seed=derived_seed(game.seed, "check-up"), rank=0, ranks=1)
        yield replace(turn, draws=draws, augment=augment)


def _signals(turn: Turn, game: Game, is_ranked: bool) -> dict[str, Tensor]:
    real, fake = turn.real.score, turn.fake.score
    found = {}
    slope = loss_slope(game.objective, fake.detach(), real.detach())
    if slope is not None:
        found["slope"] = slope
    if not is_ranked:
        return found
    gap = (row_means(real).mean() - row_means(fake).mean()).abs().clamp_min(1e-12)
    apart = (turn.x.detach() - turn.x_fake.detach()).flatten(1).norm(dim=1).mean()
    values = max(1, fake[0].numel())
    for name, judged, x in (("steepness", turn.fake, turn.x_fake), ("steepness_real", turn.real, turn.x)):
        norm = squared_gradient_norm(turn, judged, x).detach().sqrt().mean() / values
        found[name] = norm * apart / gap
    return found


def loss_slope(objective: Objective, fake: Tensor, real: Tensor) -> Tensor | None:
    """Mean slope of G's loss in the scores of generated samples, over that where all samples have the same score.

    That score is the boundary of the objective or, without one, the mean of all scores. None where the slope is 0
    there, as for objectives that compare samples with each other.

    Args:
        objective: the objective.
        fake: scores of generated samples `(B, ...)`.
        real: scores of real samples.
    """
    boundary = objective.boundary if isinstance(objective, HasBoundary) else None
    level = (fake.mean() + real.mean()) / 2 if boundary is None else fake.new_tensor(boundary)
    slopes = []
    for at_fake, at_real in ((fake, real), (level.expand_as(fake), level.expand_as(real))):
        scores = at_fake.clone().requires_grad_()
        loss = objective.g_loss(scores, at_real if objective.reads_real else None)
        (slope,) = torch.autograd.grad(loss, scores)
        slopes.append(slope.abs().mean())
    return None if slopes[1] * fake.numel() < 1e-6 else slopes[0] / slopes[1]


def _penalty(turn: Turn, terms: tuple[Term, ...]) -> dict[str, Tensor]:
    """The gradient norm of D between real and generated samples, over the target of D's penalty, if it has one."""
    targets = [term.target for term in map(unwrapped, terms) if isinstance(term, GradientPenalty | Dragan)]
    if not targets or not targets[0]:
        return {}
    points = interpolates(turn).requires_grad_()
    norms = squared_gradient_norm(turn, turn.judge(points), points).detach().sqrt()
    return {"penalty_slope": norms.mean() / targets[0]}


def _held_out(subject: Subject, game: Game) -> dict[str, Tensor]:
    """How often a training sample has a higher score than a held-out one."""
    real, size = subject.real, subject.at_once
    if real.held is None or not _is_ranked(game.objective):
        return {}
    sets = []
    for x, c in ((real.x, real.c), (real.held, real.held_c)):
        parts = zip(*(torch.split(t, size) for t in (x, c) if t is not None), strict=True)
        with torch.no_grad():
            turn = next(_turns(subject, game))
            scores = [
                replace(turn, x=part[0], c=part[1] if len(part) > 1 else None, augment=None).real for part in parts
            ]
        sets.append(torch.cat([row_means(one.score) for one in scores]))
    return {"held_out": share_above(*sets)}


def _clipped(game: Game) -> dict[str, Tensor]:
    if not isinstance(game.D.after, WeightClip):
        return {}
    limit = game.D.after.limit * (1 - 1e-4)
    weights = torch.cat([weight.detach().flatten() for weight in game.D.parameters])
    return {"clipped": (weights.abs() >= limit).float().mean()}
