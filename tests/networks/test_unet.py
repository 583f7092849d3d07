"""The U-Net discriminator: what its scores depend on, how they are averaged, and that it takes all it should."""

import pytest
import torch
from torch.nn.functional import softplus

from zerosum.conditions.components import Attributes, Vector
from zerosum.conditions.labels import Labels
from zerosum.game import Judgement
from zerosum.networks import Auxiliary, Discriminative, Projection, UNetDiscriminator
from zerosum.objectives import NonSaturating
from zerosum.recipes.reader import read

SIZES = [(8, 8), (9, 13), (16, 16), (28, 28), (31, 20), (45, 64)]
MAPS = ["batch", "layer", "instance", "virtual", "spectral", "spectral_batch", "none"]
CONDITIONS = {"labels": (Labels(3), torch.tensor([0, 1, 2])), "attributes": (Attributes(2), torch.eye(3)[:, :2])}
CONDITIONS |= {"vector": (Vector(2), torch.randn(3, 2))}


def split(score):
    """The global score `(B,)` and the pixels' `(B, H * W)`."""
    whole, pixels = score.chunk(2, dim=1)
    assert (whole == whole[:, :1]).all()
    return whole[:, 0], pixels


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_images_of_any_height_and_width_get_a_global_score_and_one_for_every_pixel(size, channels):
    D = UNetDiscriminator(size=2).build((channels, *size), None)
    judgement = D(torch.randn(2, channels, *size))
    assert judgement.score.shape == (2, 2 * size[0] * size[1])
    whole, pixels = split(judgement.score.detach())
    assert (pixels.std(1) > 1e-4).all() and judgement.features.dim() == 2
    assert abs(whole[0] - whole[1]) > 1e-6


def test_the_mean_over_scores_weighs_the_global_score_and_the_pixels_alike():
    D = UNetDiscriminator(size=2).build((1, 8, 8), None)
    real, fake = (D(torch.randn(4, 1, 8, 8)).score.detach().double() for _ in range(2))
    halves = [
        softplus(-r).mean() + softplus(f).mean() for r, f in zip(split(real), split(fake), strict=True)
    ]  # the paper's two losses of D
    assert NonSaturating().d_loss(real, fake).item() == pytest.approx(float(sum(halves)) / 2, rel=1e-12)


def test_a_pixels_score_sees_its_surroundings_sharply_through_the_skip_and_all_of_the_image_through_the_encoder():
    D = UNetDiscriminator(size=4, norm="none").build((1, 32, 32), None).double()
    x = torch.randn(1, 1, 32, 32, dtype=torch.float64, requires_grad=True)
    whole, pixels = split(D(x).score)
    by_pixel = torch.autograd.grad(pixels[0, 16 * 32 + 16], x, retain_graph=True)[0].abs()[0, 0]
    by_image = torch.autograd.grad(whole[0], x)[0].abs()[0, 0]
    assert by_pixel[16, 16] > 3 * by_pixel.mean(), "the pixel itself counts most"
    assert by_pixel[14:19, 14:19].mean() > 5 * by_pixel[:4, :4].mean()
    assert (by_image > 0).float().mean() > 0.99
    skips = [block.conv.in_channels for block in D.up]
    assert skips == [b + s for b, s in zip([16, 8, 4], [16, 8, 4], strict=True)], "each block takes the encoder's maps"


def test_encoder_and_decoder_have_the_widths_of_the_paper():
    D = UNetDiscriminator(size=4, norm="none").build((3, 64, 64), None)
    assert [block.conv.out_channels for block in D.down] == [4, 8, 16, 32]
    assert [block.conv.out_channels for block in D.up] == [16, 8, 4, 4]


def unreached(network, loss):
    gradients = torch.autograd.grad(loss, [*network.parameters()], allow_unused=True)
    assert all(g is None or g.isfinite().all() for g in gradients)
    named = zip(network.named_parameters(), gradients, strict=True)
    return {name for (name, _), gradient in named if gradient is None or not gradient.any()}


@pytest.mark.parametrize("way", [Projection(), Auxiliary()], ids=repr)
@pytest.mark.parametrize("kind", CONDITIONS)
@pytest.mark.parametrize("norm", MAPS)
def test_every_norm_condition_and_precision_trains_every_parameter(norm, kind, way):
    condition, c = CONDITIONS[kind]
    D = UNetDiscriminator(4, norm, way).build((2, 9, 8), condition).to(memory_format=torch.channels_last)
    x = torch.randn(3, 2, 9, 8, requires_grad=True)
    judgement = D(x, c)
    predicted = 0 if judgement.logits is None else (judgement.logits * torch.randn_like(judgement.logits)).sum()
    assert unreached(D, (judgement.score * torch.randn_like(judgement.score)).sum() + predicted) == set()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        score = Judgement.of(D(x, c)).score
        assert score.dtype == torch.float32
        (grad,) = torch.autograd.grad(score.square().mean(), x, create_graph=True)
        assert grad.float().square().sum().isfinite()


def test_the_condition_moves_the_global_score_and_the_pixels():
    D = UNetDiscriminator(size=4).build((1, 8, 8), Labels(3)).eval()
    x = torch.randn(1, 1, 8, 8)
    (w0, p0), (w1, p1) = (split(D(x, torch.tensor([label])).score) for label in (0, 1))
    assert (w0 - w1).abs() > 1e-5 and ((p0 - p1).abs() > 1e-6).float().mean() > 0.9


def test_penalties_agree_with_differences_in_float64():
    D = UNetDiscriminator(size=2, norm="none").build((1, 8, 8), None).double()
    x = torch.randn(2, 1, 8, 8, dtype=torch.float64, requires_grad=True)

    def penalty(bias):
        score = torch.func.functional_call(D, {"down.0.conv.bias": bias}, x).score
        (grad,) = torch.autograd.grad(score.mean(), x, create_graph=True)
        return grad.square().sum() * 1e3

    assert torch.autograd.gradcheck(penalty, torch.randn(2, dtype=torch.float64, requires_grad=True))


def test_discriminative_predicts_real_and_generated_classes_and_recipe_text_names_it():
    D = UNetDiscriminator(4, conditioning=Discriminative(), auxiliary=2).build((1, 8, 8), Labels(3))
    judgement = D(torch.randn(2, 1, 8, 8), torch.tensor([0, 1]))
    assert judgement.sides.shape == (2, 2, 3) and judgement.logits.shape == (2, 2)
    assert read("UNetDiscriminator(size=8)") == UNetDiscriminator(size=8)


def test_what_it_cannot_do_is_refused():
    with pytest.raises(ValueError, match="convolutional networks take images"):
        UNetDiscriminator().build((2,), None)
    with pytest.raises(ValueError, match="8x8 and more; found 7x9"):
        UNetDiscriminator().build((1, 7, 9), None)
    with pytest.raises(ValueError, match="size is a number of channels"):
        UNetDiscriminator(size=0)
