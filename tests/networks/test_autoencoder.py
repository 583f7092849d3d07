"""Autoencoders as discriminators: the score is minus the error of reconstruction."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.conditions.labels import Labels
from zerosum.game import Judgement
from zerosum.networks import AutoEncoderDiscriminator, Concatenate


def made(shape):
    return torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("error", "power"), [("absolute", 1), ("squared", 2)])
@pytest.mark.parametrize("shape", [(5,), (1, 16, 16), (3, 28, 20), (2, 9, 17)], ids=str)
def test_score_is_minus_the_error_of_reconstruction(shape, error, power):
    D = AutoEncoderDiscriminator(size=4, code=6, error=error).build(shape, None)
    x = made(shape)
    judgement = D(x)
    rebuilt = D.decoder(D.encoder(x)).detach().double().numpy()
    wanted = -(np.abs(rebuilt - x.double().numpy()) ** power).reshape(3, -1).mean(1)
    np.testing.assert_allclose(judgement.score.detach().numpy(), wanted, rtol=1e-5)
    assert torch.equal(judgement.features, D.encoder(x))
    assert judgement.features.shape == (3, 6)


def test_a_perfect_reconstruction_scores_0_and_nothing_scores_higher():
    D = AutoEncoderDiscriminator(size=4, code=6).build((5,), None)
    D.encoder, D.decoder = nn.Identity(), nn.Identity()
    assert D(made((5,))).score.tolist() == [0, 0, 0]
    assert (AutoEncoderDiscriminator(size=4).build((5,), None)(made((5,))).score < 0).all()


def test_everything_passes_through_the_code():
    """A code of one dimension cannot represent five: the reconstruction depends on x through that dimension alone."""
    D = AutoEncoderDiscriminator(size=8, code=1).build((5,), None)
    rebuilt = torch.autograd.functional.jacobian(lambda x: D.decoder(D.encoder(x)), made((5,))[0])
    assert torch.linalg.matrix_rank(rebuilt, rtol=1e-4) == 1


@pytest.mark.parametrize("shape", [(5,), (1, 16, 16)], ids=["points", "images"])
def test_the_label_changes_the_score(shape):
    D = AutoEncoderDiscriminator(size=4, code=6, conditioning=Concatenate(3)).build(shape, Labels(4))
    x = made(shape)[:1].expand(4, *shape)
    assert len(D(x, torch.arange(4)).score.detach().unique()) == 4
    with pytest.raises(ValueError, match="this network is conditional: call it with a condition c"):
        D(x)


def test_norm_is_where_it_is_asked_for():
    plain, normed = (AutoEncoderDiscriminator(size=4, norm=n).build((1, 16, 16), None) for n in ("none", "batch"))
    assert not [m for m in plain.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m for m in normed.modules() if isinstance(m, nn.BatchNorm2d)]


def test_half_precision_keeps_the_errors_digits():
    D = AutoEncoderDiscriminator(size=4, code=6).build((1, 16, 16), None)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        score = Judgement.of(D(made((1, 16, 16)))).score
    assert score.dtype == torch.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AutoEncoderDiscriminator(size=0), "size is a number of channels or units, at least 1; found 0"),
        (lambda: AutoEncoderDiscriminator(code=0), "code is a number of dimensions, at least 1; found 0"),
        (lambda: AutoEncoderDiscriminator(error="cubed"), "error is 'absolute' or 'squared'; found 'cubed'"),
        (lambda: AutoEncoderDiscriminator().build((1, 4, 4), None), "of 8x8 and more; found 4x4"),
    ],
)
def test_what_cannot_be_built_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
