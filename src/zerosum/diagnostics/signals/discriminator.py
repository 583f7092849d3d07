"""What D gives G: gradients of its score and of G's loss in it, scores of held-out samples, penalties, clipping."""

__all__ = ()

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from zerosum.diagnostics.signals._measures import row_means, share_above
from zerosum.diagnostics.signals.subject import Subject
from zerosum.diagnostics.signals.watcher import is_ranked
from zerosum.game.batch import Batch
from zerosum.game.distributed import everyone, own_rows, ranks
from zerosum.game.game import Game
from zerosum.game.judgement import Judgement
from zerosum.game.player import Term, unwrapped
from zerosum.game.random import derived_seed
from zerosum.game.turn import Turn
from zerosum.protocols import HasBoundary, Objective
from zerosum.terms.gradient_penalties import Dragan, GradientPenalty, squared_gradient_norm
from zerosum.terms.weight_clipping import WeightClip

_BATCHES, _ENOUGH = 2, 128  # of which D is differentiated, at most; of samples, beyond which one batch will do


def discriminator(subject: Subject) -> dict[str, Tensor]:
    """Signals of D as it is trained, on batches of its own size and on augmented samples."""
    game = subject.game
    if game is None or not game.n_critic or subject.live is None:
        return {}
    with game.precision():
        turns = [*_turns(subject, game, subject.live.x)]
        scores = [[everyone([t.detach()])[0] for t in (turn.real.score, turn.fake.score)] for turn in turns]
        gradients = [loss_gradient(game.objective, fake, real) for real, fake in scores]
        known = [gradient for gradient in gradients if gradient is not None]
        found = {"loss_gradient": torch.stack(known).mean()} if known else {}
        if is_ranked(game.objective):
            found |= _steepness(turns)
        return {**found, **_penalty(turns, game.D.terms), **_held_out(subject, game), **_clipped(game)}


def _turns(subject: Subject, game: Game, samples: Tensor) -> Iterator[Turn]:
    """Turns of D on batches of the reference and of samples of the live G; each process has its own rows."""
    real, recipe = subject.real, subject.recipe
    batch = min(recipe.batch if recipe.micro_batch is None else recipe.micro_batch * ranks(), len(samples))
    augment = copy.deepcopy(game.augment)  # it may keep samples
    batches = 1 if batch >= _ENOUGH else _BATCHES
    for start in range(0, min(len(samples) - batch + 1, batches * batch), batch):
        given = [t if t is None else t[start : start + batch] for t in (real.x, real.c, samples, subject.z)]
        x, c, x_fake, z = (t if t is None or batch % ranks() else own_rows(t) for t in given)
        assert x is not None and x_fake is not None and z is not None
        x_fake = x_fake.to(x.dtype, copy=True).requires_grad_()
        turn = game.turn(game.D, Batch(x, c, subject.images + start), x.detach().requires_grad_(), x_fake, z)
        yield replace(turn, draws=replace(turn.draws, seed=derived_seed(game.seed, "check-up")), augment=augment)


def _steepness(turns: Sequence[Turn]) -> dict[str, Tensor]:
    """D's gradient norms at generated and at real samples, times their distance, over the gap of the mean scores."""
    rows = [
        torch.stack([
            row_means(turn.real.score),
            row_means(turn.fake.score),
            _by_score((turn.x.detach() - turn.x_fake.detach()).flatten(1).norm(dim=1).float(), turn.real),
            _gradient_norms(turn, turn.fake, turn.x_fake),
            _gradient_norms(turn, turn.real, turn.x),
        ], 1)
        for turn in turns
    ]  # fmt: skip
    real, fake, apart, at_fake, at_real = everyone([torch.cat(rows)])[0].mean(0)
    scale = apart / (real - fake).abs().clamp_min(1e-12)
    return {"steepness": at_fake * scale, "steepness_real": at_real * scale}


def _gradient_norms(turn: Turn, judgement: Judgement, x: Tensor) -> Tensor:
    """The gradient norm of the mean of each score by what it is a score of, a number for each score."""
    norms = squared_gradient_norm(turn, judgement, x).detach().sqrt().float() / max(1, judgement.score[0].numel())
    return _by_score(norms, judgement)


def _by_score(norms: Tensor, judgement: Judgement) -> Tensor:
    """Norms of samples `(B,)`, or of the packs of samples that have one score, `(B / samples,)`."""
    scores = len(judgement.score)
    return norms if len(norms) == scores else norms.reshape(scores, -1).norm(dim=1)


def loss_gradient(objective: Objective, fake: Tensor, real: Tensor) -> Tensor | None:
    """Mean absolute gradient of G's loss in the scores of generated samples, over that where all scores are equal.

    That score is the boundary of the objective or, without one, the mean of all scores. None where the gradient is 0
    there, as for objectives that compare samples with each other.

    Args:
        objective: the objective.
        fake: scores of generated samples `(B, ...)`.
        real: scores of real samples.
    """
    boundary = objective.boundary if isinstance(objective, HasBoundary) else None
    level = (fake.mean() + real.mean()) / 2 if boundary is None else fake.new_tensor(boundary)
    gradients = []
    for at_fake, at_real in ((fake, real), (level.expand_as(fake), level.expand_as(real))):
        scores = at_fake.clone().requires_grad_()
        loss = objective.g_loss(scores, at_real if objective.reads_real else None)
        (gradient,) = torch.autograd.grad(loss, scores)
        gradients.append(gradient.abs().mean())
    return None if gradients[1] * fake.numel() < 1e-6 else gradients[0] / gradients[1]


def _penalty(turns: Sequence[Turn], terms: tuple[Term, ...]) -> dict[str, Tensor]:
    """D's gradient norm at the points of its first penalty that has a target, over that target.

    Below the target of a one-sided penalty, which leaves D free there, a norm counts as the target.
    """
    aimed = [term for term in map(unwrapped, terms) if isinstance(term, GradientPenalty | Dragan) and term.target]
    if not aimed:
        return {}
    penalty, norms = aimed[0], []
    for turn in turns:
        points = penalty.points(turn).requires_grad_()
        norms.append(squared_gradient_norm(turn, turn.judge(points), points).detach().sqrt())
    ratios = everyone([torch.cat(norms)])[0] / penalty.target
    return {"penalty_gradient": (ratios.clamp_min(1.0) if penalty.one_sided else ratios).mean()}


def _held_out(subject: Subject, game: Game) -> dict[str, Tensor]:
    """How often a training sample has a higher score than a held-out one."""
    real = subject.real
    if real.held is None or not is_ranked(game.objective):
        return {}

    def scores(x: Tensor, c: Tensor | None = None) -> Tensor:
        return row_means(Judgement.of(game.D.network(x) if c is None else game.D.network(x, c)).score)

    sets = ((real.x, real.c), (real.held, real.held_c))
    return {"held_out": share_above(*(subject.in_batches(scores, x, c) for x, c in sets))}


def _clipped(game: Game) -> dict[str, Tensor]:
    if not isinstance(game.D.after, WeightClip):
        return {}
    limit = game.D.after.limit * (1 - 1e-4)
    weights = torch.cat([weight.detach().flatten() for weight in game.D.parameters])
    return {"clipped": (weights.abs() >= limit).float().mean()}
