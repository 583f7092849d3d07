"""The patch discriminator: which pixels a score depends on, how scales are averaged, and how an image conditions it."""

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from zerosum.conditions import Image, Labels
from zerosum.networks import Concatenate, PatchDiscriminator, Projection
from zerosum.objectives import NonSaturating
from zerosum.recipes.reader import read

NORMS = ["batch", "layer", "instance", "virtual", "spectral", "spectral_batch", "none"]


def field(layers):
    """First and last pixel that the score of place 0 depends on, from kernels and zeros at the border alone."""
    first = last = 0
    for before in (2, 1):  # the two convolutions that keep sides, from the last backwards
        first, last = first - before, last - before + 3
    for _ in range(layers):
        first, last = 2 * first - 1, 2 * last - 1 + 3
    return first, last


@pytest.mark.parametrize(("layers", "size"), [(1, 16), (2, 34), (3, 70)])
def test_a_score_depends_on_exactly_the_patch_around_its_square(layers, size):
    square = 2**layers
    first, last = field(layers)
    assert last - first + 1 == size and first + last == square - 1, "the patch is centred on its square"
    side = 2 * size // square * square
    D = PatchDiscriminator(2, "none", layers).build((1, side, side), None).double()
    x = torch.randn(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    places = side // square
    at = places // 2
    score = D(x).score.view(places, places)[at, at - 1]
    seen = torch.autograd.grad(score, x)[0][0, 0] != 0
    expected = torch.zeros(side, side, dtype=torch.bool)
    expected[at * square + first : at * square + last + 1, (at - 1) * square + first : (at - 1) * square + last + 1] = 1
    assert torch.equal(seen, expected)


def test_scores_of_all_scales_have_the_same_weight_in_the_mean_over_scores():
    D = PatchDiscriminator(2, layers=1, scales=3).build((1, 16, 24), None).double()
    real, fake = (torch.randn(3, 1, 16, 24, dtype=torch.float64) for _ in range(2))

    def alone(x):
        """The map of each scale, from its network and an image averaged by numpy."""
        found = []
        for scale in D.scales:
            found.append(scale(x, None)[0].detach().numpy())
            array = x.numpy()
            x = torch.from_numpy(array.reshape(*array.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2).mean((3, 5)))
        return found

    maps = [*zip(alone(real), alone(fake), strict=True)]
    assert [m.shape[2:] for m, _ in maps] == [(8, 12), (4, 6), (2, 3)]
    expected = np.mean([np.logaddexp(0, -r).mean() + np.logaddexp(0, f).mean() for r, f in maps])
    scores = D(real).score.detach(), D(fake).score.detach()
    assert scores[0].shape == (3, 3 * 8 * 12)
    assert NonSaturating().d_loss(*scores).item() == pytest.approx(float(expected), rel=1e-12)
    coarse, expected = scores[0].view(3, 3, 8, 12)[:, 2].numpy(), maps[2][0][:, 0].repeat(4, 1).repeat(4, 2)
    assert np.allclose(coarse, expected, rtol=1e-9, atol=1e-12), "row by row, by nearest neighbours"


@pytest.mark.parametrize("scales", [1, 2, 3])
@pytest.mark.parametrize("sides", [(17, 40), (28, 28), (33, 65)], ids=str)
def test_any_sides_are_scored_also_others_than_it_was_built_for(sides, scales):
    layers = 4 - scales
    D = PatchDiscriminator(2, layers=layers, scales=scales).build((3, 64, 64), None)
    judgement = D(torch.randn(2, 3, *sides))
    first = [-(-side // 2**layers) for side in sides]
    assert judgement.score.shape == (2, scales * first[0] * first[1])
    assert judgement.score.isfinite().all() and judgement.features.shape == (2, scales * 2 * min(2**layers, 8))


def test_maps_are_those_of_all_layers_but_the_last_and_features_their_last_means():
    D = PatchDiscriminator(4, "none", layers=2, scales=2).build((1, 16, 16), None)
    x = torch.randn(2, 1, 16, 16)
    judgement = D(x)
    assert [tuple(m.shape[1:]) for m in judgement.maps] == [
        *((4, 8, 8), (8, 4, 4), (16, 4, 4)),
        *((4, 4, 4), (8, 2, 2), (16, 2, 2)),
    ]
    small = avg_pool2d(x, 2)
    for image, scale, maps in zip((x, small), D.scales, (judgement.maps[:3], judgement.maps[3:]), strict=True):
        h = image
        for block, found in zip(scale.blocks, maps, strict=True):
            h = block(h)
            assert torch.equal(h, found)
    last = torch.cat([judgement.maps[2].mean((2, 3)), judgement.maps[5].mean((2, 3))], 1)
    assert torch.allclose(judgement.features, last)


def test_an_image_is_concatenated_at_the_samples_sides():
    D = PatchDiscriminator(4, "none", layers=2).build((1, 16, 20), Image((2, 8, 10)))
    plain = PatchDiscriminator(4, "none", layers=2).build((3, 16, 20), None)
    plain.load_state_dict(D.state_dict())
    x, c = torch.randn(2, 1, 16, 20), torch.randn(2, 2, 8, 10)
    large = interpolate(c, (16, 20), mode="bilinear", align_corners=False)
    assert torch.equal(D(x, c).score, plain(torch.cat([x, large], 1)).score)
    with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
        D(x)


@pytest.mark.parametrize("way", [Concatenate(3), Projection()], ids=repr)
@pytest.mark.parametrize("condition", [Labels(3), Image((2, 12, 12))], ids=["labels", "image"])
@pytest.mark.parametrize("norm", NORMS)
def test_every_norm_and_condition_trains_every_parameter_and_can_be_penalised(norm, condition, way):
    D = PatchDiscriminator(4, norm, 1, 2, way).build((2, 9, 12), condition).to(memory_format=torch.channels_last)
    c = torch.tensor([0, 1, 2]) if isinstance(condition, Labels) else torch.randn(3, 2, 12, 12)
    x = torch.randn(3, 2, 9, 12, requires_grad=True)
    judgement = D(x, c)
    assert judgement.score.shape[0] == len(judgement.maps[0]) == 3
    loss = (judgement.score * torch.randn_like(judgement.score)).sum()
    gradients = torch.autograd.grad(loss, [*D.parameters()], retain_graph=True)
    assert all(g.isfinite().all() and g.any() for g in gradients)
    (grad,) = torch.autograd.grad(judgement.score.sum(), x, create_graph=True)
    again = torch.autograd.grad(grad.square().sum(), [*D.parameters()], allow_unused=True)
    assert sum(g is not None and bool(g.any()) for g in again) >= len(again) // 2
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert D(x, c).score.dtype == torch.float32


def test_a_gradient_penalty_agrees_with_differences_in_float64():
    D = PatchDiscriminator(2, "instance", 1, 2).build((1, 10, 9), None).double()
    x = torch.randn(2, 1, 10, 9, dtype=torch.float64, requires_grad=True)

    def penalty(weight):
        score = torch.func.functional_call(D, {"scales.0.blocks.1.1.weight": weight}, x).score
        (grad,) = torch.autograd.grad(score.mean(), x, create_graph=True)
        return grad.square().sum() * 1e3

    weight = torch.randn(4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(penalty, weight)


def test_projection_moves_the_score_of_every_patch():
    D = PatchDiscriminator(8, "none", 2, conditioning=Projection()).build((1, 16, 16), Labels(3)).eval()
    x = torch.randn(1, 1, 16, 16)
    a, b = (D(x, torch.tensor([label])).score for label in (0, 1))
    assert ((a - b).abs() > 1e-6).all()


def test_what_it_cannot_do_is_refused():
    with pytest.raises(ValueError, match=r"halves the sides of an image 3 times and takes 9x9 and more; found 8x64"):
        PatchDiscriminator().build((1, 8, 64), None)
    with pytest.raises(ValueError, match=r"5 times and takes 33x33 and more; found 32x32"):
        PatchDiscriminator(scales=3).build((1, 32, 32), None)
    with pytest.raises(ValueError, match="convolutional networks take images"):
        PatchDiscriminator().build((2,), None)
    with pytest.raises(ValueError, match="layers counts the halvings of a patch discriminator, at least 1; found 0"):
        PatchDiscriminator(layers=0)
    for scales in (0, 4):
        with pytest.raises(ValueError, match=f"scales of an image that are scored, 1 to 3; found {scales}"):
            PatchDiscriminator(scales=scales)
    with pytest.raises(ValueError, match="size is a number of channels"):
        PatchDiscriminator(size=0)
    assert read("PatchDiscriminator(size=8, scales=2)") == PatchDiscriminator(size=8, scales=2)
