"""Inversion of images and completion of drawings, against least squares where the generator is linear."""

import numpy as np
import pytest
import torch

from zerosum.conditions import Labels, Vector
from zerosum.game import Normal
from zerosum.latent import InvertOptions, LatentModel, complete, invert, space_of
from zerosum.latent._descent import Stage, descend
from zerosum.latent._starts import candidates, nearest, nearest_of_all, pool_of
from zerosum.latent.inversion import distance, squared_error
from zerosum.networks import DCGANGenerator, StyleGAN2Generator

DRAW = torch.Generator().manual_seed(0)
A = torch.randn(3, 64, 4, generator=DRAW) / 20  # for each class
PLAIN = {"features": "", "encoder": 0, "pool": 60}


def linear(z, c=None):
    rows = A[0] if c is None else A[c]
    return (rows @ z[..., None]).view(-1, 1, 8, 8)


MODEL, CLASSES = LatentModel(linear, Normal(4)), LatentModel(linear, Normal(4), Labels(3))
SPACE = space_of(MODEL)


def least_squares(images, matrix):
    return np.linalg.lstsq(matrix.double().numpy(), images.flatten(1).double().numpy().T, rcond=None)[0].T


def model_of(spec, scale=3):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        G = spec.build(5, (1, 8, 8), None).eval().requires_grad_(False)
    for p in G.parameters():
        p.mul_(scale if p.dim() > 1 else 1)
    return LatentModel(G, Normal(5))


@pytest.fixture(scope="module")
def images():
    inputs = MODEL.inputs(5, 3)
    return linear(inputs.z) + torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(3)) / 20


def test_points_of_a_linear_generator_are_those_of_least_squares(images):
    found = invert(SPACE, images, options=InvertOptions(**PLAIN))
    assert found.points.numpy() == pytest.approx(least_squares(images, A[0]), abs=2e-3)
    rest = images.flatten(1).double().numpy() - least_squares(images, A[0]) @ A[0].double().numpy().T
    assert found.errors.numpy() == pytest.approx(np.sqrt((rest**2).mean(1)) / 2, abs=2e-3)  # rounded to 8 bits
    assert torch.equal(found.targets, images) and bool((found.weights == 1).all())


def test_images_are_inverted_each_as_if_alone(images):
    options = InvertOptions(steps=20, **PLAIN)
    together, alone = invert(SPACE, images, options=options), invert(SPACE, images[3:4], options=options)
    assert torch.allclose(together.points[3:4], alone.points, atol=1e-5)


def test_starts_are_the_nearest_samples_of_each_candidate(images):
    weights = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    tried = candidates(CLASSES, 5, None)
    pool = pool_of(space_of(CLASSES), tried, 30, 4, 2)
    places = nearest(pool, tried, images, weights, 2)
    far = (weights[:, None] * (images[:, None] - pool.images) ** 2).flatten(2).sum(2).numpy()
    for i in range(5):
        by_class = [sorted(range(c, 30, 3), key=lambda place, i=i: far[i, place])[:2] for c in range(3)]
        assert places[i].tolist() == [*np.array(by_class).T.flatten()]
    given = candidates(CLASSES, 5, [2, 2, 0, 1, 0])
    pool = pool_of(space_of(CLASSES), given, 30, 4, 2)
    assert pool.inputs.c[nearest(pool, given, images, weights, 2)].tolist() == [[c] * 2 for c in (2, 2, 0, 1, 0)]
    for allowed in (tried, given):
        pool = pool_of(space_of(CLASSES), allowed, 30, 4, 2)
        found = nearest_of_all(pool, allowed, images, weights, 7)
        far = (weights[:, None] * (images[:, None] - pool.images) ** 2).flatten(2).sum(2)
        for i in range(5):
            there = [p for p in range(30) if allowed is tried or pool.inputs.c[p] == [2, 2, 0, 1, 0][i]]
            assert found[i].tolist() == sorted(there, key=lambda place, i=i: far[i, place])[:7]


def test_one_schedule_serves_all_stages():
    assert Stage(0, 3, 8).rates + Stage(3, 8, 8).rates == pytest.approx([0.2] * 5 + [0.15, 0.1, 0.05])


def test_points_stay_in_the_prior(images):
    far = SPACE.prior().far
    found = invert(SPACE, (images * 30).clamp(-1, 1), options=InvertOptions(**PLAIN))
    assert SPACE.prior().radius(found.points).numpy() == pytest.approx(np.full(5, far), rel=1e-3)


def test_a_start_outside_the_prior_is_no_result():
    prior, inputs = SPACE.prior(), MODEL.inputs(3)
    points = prior.mean + 1.5 * prior.far * prior.std * torch.tensor([[1.0, 1, -1, 1]]).repeat(3, 1)
    made = linear(points)
    found, losses = descend(SPACE, prior, points, inputs, lambda x, _, __, of: (x - made[of]).square().mean((1, 2, 3)),
                            Stage(0, 4, 4))  # fmt: skip
    assert prior.radius(found).numpy() == pytest.approx(np.full(3, prior.far), rel=1e-4)
    assert losses.numpy() == pytest.approx((linear(found) - made).square().mean((1, 2, 3)).numpy(), rel=1e-3)


def test_uint8_images_are_those_of_sample(images):
    rounded = ((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1)
    found = invert(SPACE, rounded.numpy(), options=InvertOptions(**PLAIN))
    assert torch.allclose(found.targets, images, atol=1 / 127) and found.targets.shape == images.shape


def test_the_class_is_given_or_the_best_of_all():
    space, c = space_of(CLASSES), torch.tensor([2, 0, 1, 2])
    made = linear(CLASSES.inputs(4, 5).z, c)
    tried = invert(space, made, options=InvertOptions(**PLAIN))
    assert torch.equal(tried.inputs.c, c) and float(tried.errors.max()) < 0.003
    given = invert(space, made, [2, 0, 0, 1], options=InvertOptions(**PLAIN))
    assert given.inputs.c.tolist() == [2, 0, 0, 1]
    assert (given.errors > 0.01).tolist() == [False, False, True, True]


@pytest.mark.parametrize("name", ["w", "layers"])
def test_styles_are_inverted(name):
    model = model_of(StyleGAN2Generator(4), 1)
    space = space_of(model, name)
    inputs = model.inputs(3, 9)
    wanted = space.images(space.at(inputs), inputs).detach()
    wanted = wanted / wanted.abs().max()
    start = invert(space, wanted, options=InvertOptions(steps=4, **PLAIN)).errors
    found = invert(space, wanted, options=InvertOptions(steps=60, **PLAIN))
    assert found.points.shape[1:] == ((4,) if name == "w" else (4, 4)) and bool((found.errors < 0.9 * start).all())


def test_an_encoder_and_a_perceptual_loss_take_part():
    """Both change what is found, and with few steps the encoder helps."""
    model = model_of(DCGANGenerator(4))
    space, inputs = space_of(model), model.inputs(20, 9)
    wanted = space.images(inputs.z, inputs).clamp(-1, 1)
    few = {"features": "", "pool": 1, "starts": 1, "steps": 4}
    without = invert(space, wanted, options=InvertOptions(encoder=0, **few))
    encoded = invert(space, wanted, options=InvertOptions(encoder=4000, **few))
    assert float(encoded.errors.mean()) < 0.9 * float(without.errors.mean())
    perceptual = InvertOptions(encoder=0, **few | {"features": "random-conv", "steps": 8}, perceptual=1.0)
    seen = invert(space, wanted[:2], options=perceptual)
    plain = invert(space, wanted[:2], options=InvertOptions(encoder=0, **few | {"steps": 8}))
    assert not torch.allclose(seen.points, plain.points, atol=1e-3)


def test_other_conditions_are_tried_by_examples():
    model = LatentModel(lambda z, c: linear(z) + c[:, :, None, None] / 4, Normal(4), Vector(1))
    c = model.inputs(8).c[[3, 5]]
    found = invert(space_of(model), model.call(model.inputs(2, 9).z, c), options=InvertOptions(**PLAIN))
    assert float(found.errors.max()) < 0.003 and torch.equal(found.inputs.c, c)


def test_a_drawing_is_completed_by_its_pixels_near_a_sample(images):
    """The solution of the normal equations, beside the nearest samples."""
    mask = (torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(1)) < 0.3).float()
    anything, options = torch.where(mask > 0, images, 0.9), InvertOptions(steps=400, **PLAIN)
    found = complete(SPACE, anything, mask, 2, options=options)
    z, prior = MODEL.inputs(60, 0).z.double().numpy(), SPACE.prior()
    precision = np.diag(1 / prior.std.double().numpy() ** 2)
    for i in range(5):
        kept, matrix = mask[i].flatten().bool().numpy(), A[0].double().numpy()
        rows, known = matrix[kept] / 0.2, images[i].flatten().double().numpy()[kept] / 0.2  # noise of .1 of [0, 1]
        near = z[np.argsort(((z @ rows.T - known) ** 2).sum(1))[: options.starts]]
        right = rows.T @ known + near @ precision
        wanted = np.linalg.solve(rows.T @ rows + precision, right.T).T
        away = ((known - wanted @ rows.T) ** 2).sum(1) + ((wanted - near) ** 2 @ precision).sum(1)
        best = wanted[np.argsort(away)[:2]]
        assert found.points[2 * i : 2 * i + 2].numpy() == pytest.approx(best, abs=0.02)
    assert torch.equal(found.targets, anything.repeat_interleave(2, 0))


def test_proposals_differ_where_a_drawing_says_little():
    model = model_of(DCGANGenerator(4))
    space, mask = space_of(model), torch.zeros(1, 1, 8, 8)
    mask[:, :, 3, 3:5] = 1
    found = complete(space, torch.full((1, 1, 8, 8), 0.1), mask, 4, options=InvertOptions(steps=40, **PLAIN))
    apart = torch.pdist(found.points)
    assert found.errors.max() < 0.05 and apart.min() > 0.1 and apart.median() > 1


def test_there_are_as_many_proposals_as_were_asked_for(images):
    """Also more than samples of the pool."""
    for space, wanted in ((SPACE, None), (space_of(CLASSES), None), (space_of(CLASSES), [1, 1])):
        found = complete(space, images[:2], torch.ones(2, 1, 8, 8), 70, wanted, InvertOptions(steps=4, **PLAIN))
        assert len(found.points) == 140 and torch.equal(found.targets[70], images[1])
        assert len(found.points[:70].unique(dim=0)) == 70


def test_proposals_score_as_samples_do():
    images, mask = linear(MODEL.inputs(20, 3).z), torch.zeros(20, 1, 8, 8)
    mask[:, :, 0] = 1
    means = []

    def score(made, inputs):
        return -made[:, 0, 4:].abs().mean((1, 2))

    for given in (None, score):
        found = complete(SPACE, images, mask, 1, options=InvertOptions(steps=100, **PLAIN), score=given)
        means.append(float(score(found.images, found.inputs).mean()))
    assert means[1] > means[0]


def test_the_error_is_the_root_mean_square_over_weighted_pixels():
    a, b = torch.rand(2, 3, 1, 4, 4, generator=DRAW, dtype=torch.float64) * 2 - 1
    w = torch.rand(3, 1, 4, 4, generator=DRAW, dtype=torch.float64)
    wanted = np.sqrt(np.average(((a - b).numpy() / 2) ** 2, axis=(1, 2, 3), weights=w.numpy()))
    assert distance(a, b, w).numpy() == pytest.approx(wanted)
    assert distance(a, b).numpy() == pytest.approx(np.sqrt((((a - b).numpy() / 2) ** 2).mean((1, 2, 3))))
    x = a.clone().requires_grad_()
    assert torch.autograd.grad(squared_error(x, a, w).sum(), x)[0].abs().max() == 0


BLANK = torch.zeros(2, 1, 8, 8)
CASES = [
    (torch.rand(2, 1, 9, 8), r"makes images of 8x8 pixels: give uint8 \(N, 8, 8, 1\) .*; found float32 \(2, 1, 9, 8\)"),
    (torch.rand(1, 8, 8), r"makes images of 8x8 pixels"),
    (torch.rand(0, 1, 8, 8), r"makes images of 8x8 pixels"),
    (torch.full((1, 1, 8, 8), torch.nan), r"finite values in \[-1, 1\]; found NaN or values outside"),
    (torch.rand(1, 1, 8, 8) + 1, r"finite values in \[-1, 1\]"),
    (torch.cat([torch.rand(1, 1, 8, 8), BLANK]), "image 1 has one colour throughout: there is nothing to invert"),
]


@pytest.mark.parametrize(("given", "sentence"), CASES, ids=["size", "dimensions", "none", "NaN", "outside", "constant"])
def test_what_is_no_image_of_the_generator_is_one_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        invert(SPACE, given, options=InvertOptions(**PLAIN))


def test_other_faults_are_one_sentence():
    blind = space_of(LatentModel(lambda z: torch.rand(len(z), 1, 8, 8), Normal(4)))
    with pytest.raises(ValueError, match="the samples of this generator do not depend on z: no image can be inverted"):
        invert(blind, torch.rand(1, 1, 8, 8), options=InvertOptions(**PLAIN))
    with pytest.raises(ValueError, match="this generator is unconditional: omit the class or condition"):
        invert(SPACE, torch.rand(1, 1, 8, 8), [1], InvertOptions(**PLAIN))
    with pytest.raises(ValueError, match=r"drawings need masks \(2, 1, 8, 8\) in \[0, 1\] that are not empty, and a"):
        complete(SPACE, BLANK, BLANK, options=InvertOptions(**PLAIN))
    for mask in (BLANK + 2, BLANK - 1 + 3 * torch.eye(8), BLANK + torch.nan, BLANK[:, :, 1:] + 1):
        with pytest.raises(ValueError, match=r"drawings need masks \(2, 1, 8, 8\) in \[0, 1\]"):
            complete(SPACE, BLANK, mask, options=InvertOptions(**PLAIN))
    with pytest.raises(ValueError, match=r"and a proposal or more; found .* and 0"):
        complete(SPACE, BLANK, BLANK + 1, 0, options=InvertOptions(**PLAIN))
    with pytest.raises(ValueError, match="an inversion has starts and pool of 1, steps of 4, encoder and perceptual"):
        InvertOptions(steps=3)
    with pytest.raises(ValueError, match="an encoder is trained on 10 images or more; found 9"):
        InvertOptions(encoder=9)
    with pytest.raises(ValueError, match="no extractor is called 'vgg'"):
        invert(SPACE, torch.rand(1, 1, 8, 8), options=InvertOptions(features="vgg", encoder=0))
