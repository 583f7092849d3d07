"""Small games of points, and run folders of them with frames but no training: points and scores are given."""

from dataclasses import replace

import torch

from zerosum.data.toys.gaussians import Gaussian1D, Ring
from zerosum.game.latents import Normal, Uniform
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.logistic import NonSaturating
from zerosum.recipes.recipe import Recipe, pretty
from zerosum.runs.frames import Frame, FrameData, save_frame, save_frame_data
from zerosum.runs.run import Run

LINE = Recipe(
    name="line",
    data=Gaussian1D(mean=1.0),
    generator=MLPGenerator(hidden=(8,)),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=NonSaturating(),
    latent=Uniform(1),
    batch=16,
    images=1_024,
)
PLANE = replace(LINE, name="plane", data=Ring(modes=4, radius=1.0, std=0.2), latent=Normal(2))


def common(recipe, offset=0.0, scale=1.0):
    """What the frames of a recipe's data have in common, in the units `offset + scale * x`."""
    real = recipe.data.open().read(torch.arange(2_000)).double()
    d = real.shape[1]
    units = (torch.full((d,), offset, dtype=torch.float64), torch.full((d,), scale, dtype=torch.float64))
    return FrameData.of(((real - units[0]) / units[1]).float(), *units)


def frame(data, images, samples, score=None):
    """A frame of generated points, with D's score as a function of points `(N, d)`, and arrows to the right."""
    places = samples[:: max(1, len(samples) // 16)]
    scored = {}
    if score is not None:
        real, fake = score(data.real[::4]), score(samples[::4])
        scored = {"field": score(data.lattice).half(), "real_scores": real.float(), "fake_scores": fake.float()}
    pushes = torch.zeros_like(places)
    pushes[:, 0] = 1.0
    return Frame(
        images, samples.float(), places.float(), pushes.float(), torch.tensor(-1.0 - 1 / (images + 1)), **scored
    )


def written(folder, recipe, data, frames):
    """A run folder with these frames."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.txt").write_text(pretty(recipe) + "\n")
    save_frame_data(folder, data)
    for one in frames:
        save_frame(folder, one)
    return Run(folder)


def line_run(folder, recipe=LINE, score=lambda x: 2 * x[:, 0] - 1):
    """Three frames on the line, the last of which has the density of the data."""
    data, u = common(recipe), (torch.arange(2_048, dtype=torch.float64) + 0.5) / 2_048
    quantiles = torch.special.ndtri(u)[:, None]
    moved = [3 + 0.5 * quantiles, 1.5 + 0.5 * quantiles, 1 + 0.5 * quantiles]
    return written(folder, recipe, data, [frame(data, 64 * n, x, score) for n, x in enumerate(moved)])


def plane_run(folder, recipe=PLANE, score=lambda x: x[:, 0]):
    """Three frames in the plane: at one place, on one mode, and samples of the data."""
    data, noise = common(recipe), torch.randn(2_048, 2, generator=torch.Generator().manual_seed(1)).double()
    own = recipe.data.open().read(torch.arange(2_000, 4_048))
    moved = [0.1 * noise, torch.tensor([1.0, 0.0]) + 0.2 * noise, own]
    return written(folder, recipe, data, [frame(data, 64 * n, x, score) for n, x in enumerate(moved)])
