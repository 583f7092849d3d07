"""Record frames of a game of points, for its film."""

__all__ = ()

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from zerosum._arrays import evenly
from zerosum.data.dataset import Dataset
from zerosum.data.scaling import PointScaling
from zerosum.game.copies import copied
from zerosum.game.game import Game
from zerosum.game.judgement import Judgement
from zerosum.game.trainable import TrainableGame
from zerosum.objectives.drifting import Drifting
from zerosum.objectives.kernel import MMD
from zerosum.protocols import Latent
from zerosum.recipes.recipe import Recipe
from zerosum.runs.frames import LATTICE, Frame, FrameData, save_frame, save_frame_data
from zerosum.runs.latents import latent_quantiles, latents_of
from zerosum.training.ranks import RankGroup
from zerosum.training.sample_images import is_due

SAMPLES = 2_048  # generated points in a frame; there are twice as many real ones
_SCORED, _PUSHED = 512, 128  # points of each set whose scores are recorded, and generated ones with their gradient
_FIRST = 32  # batches before the first frame but one, which is at the start
_PER_DOUBLING = 4  # frames while the number of images doubles


def frame_is_due(before: int, now: int, batch: int) -> bool:
    """Whether a frame is due between two counts of images: four times while they double, from 32 batches on."""
    return is_due(before, now, batch, _FIRST, _PER_DOUBLING)


@dataclass(eq=False)
class Recorder:
    """Records frames of a standard game of points in one or two dimensions without a condition; of others, nothing.

    Of a run of fewer than 32 batches nothing is recorded either.

    An error, as a full disk or a network that cannot be copied, ends the frames and not the run.

    A frame follows from the weights alone: latents are fixed, and on a latent of one dimension they are its quantiles.
    Networks are copied and evaluated without gradients of their weights, so training is the same as without.

    Attributes:
        run: the run folder.
        recipe: the recipe.
        dataset: its data.
        game: the game.
        data: what frames have in common; read with the first frame.
        ended: whether an error has ended them.
    """

    run: Path
    recipe: Recipe
    dataset: Dataset
    game: TrainableGame
    data: FrameData | None = field(init=False, default=None)
    ended: bool = field(init=False, default=False)

    @property
    def applies(self) -> bool:
        """Whether this game has frames."""
        points = len(self.dataset.shape) == 1 and self.dataset.shape[0] in LATTICE
        long = self.recipe.images >= _FIRST * self.recipe.batch
        return points and long and isinstance(self.game, Game) and not self.recipe.conditional

    def take(self, before: int, group: RankGroup, say: Callable[[str], None]) -> None:
        """Record a frame on the first rank if one is due since a count of images; to be called on every rank."""
        now, due = self.game.images, frame_is_due(before, self.game.images, self.recipe.batch)
        if self.applies and due and now < self.recipe.images:
            self.game.check_finite()
            group.on_first_rank(lambda: self.record(say))

    def take_end(self, say: Callable[[str], None]) -> None:
        """Record a frame at the start of the run and at its end; to be called on the first rank."""
        if self.applies and not 0 < self.game.images < self.recipe.images:
            self.record(say)

    def record(self, say: Callable[[str], None]) -> None:
        """Write the frame of the game in its current state; an error is said, and ends the frames of this start."""
        if self.ended:
            return
        try:
            if self.data is None:
                self.data = self._common()
                save_frame_data(self.run, self.data)
            save_frame(self.run, self._frame(self.data))
        except Exception as error:  # noqa: BLE001  # of any kind, as networks may be the user's; training needs no film
            self.ended = True
            say(f"no frames for a film from {self.game.images:,} images on: {type(error).__name__}: {error}")

    def _common(self) -> FrameData:
        real = self.dataset.read(evenly(len(self.dataset), 2 * SAMPLES)).cpu().float()
        coding, d = self.dataset.coding, self.dataset.shape[0]
        if isinstance(coding, PointScaling):
            return FrameData.of(real, coding.offset, coding.scale)
        return FrameData.of(real, torch.zeros(d, dtype=torch.float64), torch.ones(d, dtype=torch.float64))

    def _frame(self, data: FrameData) -> Frame:
        assert isinstance(self.game, Game)
        game, count = self.game, self.recipe.batch
        G, D = (copied(player.network).eval().requires_grad_(False) for player in (game.G, game.D))
        samples = _samples(G, game.latent, self.recipe.seed)
        batch = _evenly(samples, count).requires_grad_()
        real = _evenly(data.real, count).to(samples.device)
        with torch.enable_grad():
            fake_scores, real_scores = (Judgement.of(D(x)).score for x in (batch, real))
            scores = (fake_scores, real_scores) if game.objective.reads_real else (fake_scores,)
            (gradient,) = torch.autograd.grad(game.objective.g_loss(*scores), batch, materialize_grads=True)
        shown = evenly(count, _PUSHED)
        # The scores of these are features.
        known = {} if isinstance(game.objective, MMD | Drifting) else _scores(D, data, samples, count)
        return Frame(
            game.images,
            samples.cpu(),
            places=batch.detach()[shown].cpu(),
            pushes=-count * gradient[shown].cpu(),
            value=-game.objective.d_loss(real_scores.detach(), fake_scores.detach()).float().cpu(),
            **known,
        )


def _samples(G: nn.Module, latent: Latent, seed: int) -> Tensor:
    """Generated points of fixed latents."""
    u = (torch.arange(SAMPLES, dtype=torch.float64) + 0.5) / SAMPLES
    quantiles = latent_quantiles(latent, u)
    z = torch.cat([*latents_of(latent, SAMPLES, seed)]) if quantiles is None else quantiles
    where = next((p.device for p in G.parameters()), torch.device("cpu"))
    with torch.no_grad():
        generated: Tensor = G(z.to(where))
    return generated.float()


def _scores(D: nn.Module, data: FrameData, samples: Tensor, count: int) -> dict[str, Tensor]:
    """D's scores on the lattice and on points of both sets, `count` at once; empty where a score depends on others."""
    real = data.real[evenly(len(data.real), _SCORED)].to(samples.device)
    fake = samples[evenly(len(samples), _SCORED)]
    places = data.lattice.to(samples.device)
    points = torch.cat([places, real, fake])
    padded = points[torch.arange(len(points) + -len(points) % count, device=points.device) % len(points)]
    with torch.no_grad():
        blocks = [Judgement.of(D(block)).score for block in torch.split(padded, count)]
        # The same points, each among others.
        again = Judgement.of(D(padded.roll(count // 2, 0)[:count])).score
    if any(len(scores) != count or scores.numel() != count for scores in blocks):
        return {}
    scores = torch.cat([block.reshape(-1) for block in blocks]).float()
    if count > 1 and not torch.allclose(again.reshape(-1), scores.roll(count // 2, 0)[:count], 1e-3, 1e-4):
        return {}
    sizes = [len(places), len(real), len(fake), len(padded) - len(points)]
    field, of_real, of_fake, _ = torch.split(scores.cpu(), sizes)
    return {"field": field.half(), "real_scores": of_real, "fake_scores": of_fake}


def _evenly(points: Tensor, count: int) -> Tensor:
    """So many of the points `(N, d)`, evenly chosen, with repetition where there are fewer."""
    return points[torch.arange(count, device=points.device) * len(points) // count].detach().clone()
