"""The regressor predicts numbers of images, with gradients."""

import pytest
import torch

from zerosum.features.regressor import train_regressor

RANDOM = torch.Generator().manual_seed(0)
IMAGES = torch.randint(0, 256, (300, 1, 8, 8), generator=RANDOM, dtype=torch.uint8)
IMAGES[:, :, :4] //= torch.randint(1, 9, (300, 1, 1, 1), generator=RANDOM).byte()
VALUES = torch.stack([part.float().mean((1, 2, 3)) for part in (IMAGES[:, :, :4], IMAGES[:, :, 4:])], 1)


def test_it_predicts_held_out_images_and_has_their_gradient():
    state = torch.random.get_rng_state()
    found = train_regressor(IMAGES, VALUES, seen=5_000, features=8)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert float(found.explained[0]) > 0.9
    x = (IMAGES.float() / 127.5 - 1).requires_grad_()
    predicted = found(x)
    assert float(torch.corrcoef(torch.stack([predicted[:, 0].detach(), VALUES[:, 0]]))[0, 1]) > 0.95
    (gradient,) = torch.autograd.grad(predicted[:, 0].sum(), x)
    # Of a mean over the upper half: positive there, and small below.
    assert float(gradient[:, :, :4].mean()) > 5 * abs(float(gradient[:, :, 4:].mean()))


def test_what_it_cannot_learn_is_one_sentence():
    with pytest.raises(ValueError, match=r"a regressor learns from ten or more uint8 images \(N, C, H, W\); found"):
        train_regressor(IMAGES[:9], VALUES[:9])
    with pytest.raises(ValueError, match=r"a regressor wants finite values \(300, k\); found"):
        train_regressor(IMAGES, VALUES * torch.nan)
    with pytest.raises(ValueError, match="a regressor learns values that differ between images; one of these never"):
        train_regressor(IMAGES, torch.ones(300, 1))
    with pytest.raises(ValueError, match="this regressor reads float images"):
        train_regressor(IMAGES, VALUES, seen=256, features=4)(IMAGES)
