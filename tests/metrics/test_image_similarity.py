"""Similarity of pairs of images, against NumPy in float64 and against the numbers of other packages."""

import math

import numpy as np
import pytest
import torch

import zerosum.metrics.image_similarity as module
from zerosum.metrics.image_similarity import consistency_psnr, gradient_energy, ms_ssim, psnr, ssim

# Of `waves`, by scikit-image 0.26.0: structural_similarity(x, y, gaussian_weights=True, sigma=1.5,
# use_sample_covariance=False, data_range=255, channel_axis=0) and peak_signal_noise_ratio(x, y, data_range=255); the
# last by ms_ssim(x, y, data_range=255, win=window) of pytorch-msssim 1.0.0 with the window in float64.
SSIM, PSNR, MS_SSIM = 0.32630771859930646, 19.93495072443651, 0.9141596861691575
PAIRS = (psnr, ssim, ms_ssim, consistency_psnr)


def waves(height, width, channels=3):
    """A smooth image, uint8 `(1, C, H, W)`, and it with other contrast, by a pixel further and with noise."""
    i, j = np.mgrid[:height, :width]
    base = 127 + 80 * np.sin(i / 9) * np.cos(j / 14) + 30 * np.sin(i * j / 900)
    x = np.stack([base, base[::-1], 255 - base])[:channels]
    noise = ((np.arange(x.size) * 7919) % 101 - 50).reshape(x.shape) * 0.6
    y = np.roll(x, 1, 2) * 0.9 + 10 + noise
    return tuple(torch.from_numpy(image.clip(0, 255).round().astype(np.uint8))[None] for image in (x, y))


def uniform(*shape, seed=0):
    return torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def windowed(x, y, peak):
    """SSIM of planes `(H, W)` and its part of contrast and structure at each position, by the formula of the paper."""
    at = np.arange(11) - 5
    weights = np.exp(-(at[:, None] ** 2 + at[None] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    whole, structure = [], []
    for i, j in np.ndindex(x.shape[0] - 10, x.shape[1] - 10):
        a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
        m_a, m_b = (weights * a).sum(), (weights * b).sum()
        s_a, s_b = (weights * (a - m_a) ** 2).sum(), (weights * (b - m_b) ** 2).sum()
        s_ab = (weights * (a - m_a) * (b - m_b)).sum()
        structure.append((2 * s_ab + c2) / (s_a + s_b + c2))
        whole.append((2 * m_a * m_b + c1) / (m_a**2 + m_b**2 + c1) * structure[-1])
    return np.mean(whole), np.mean(structure)


def coarser(x):
    """Means over 2x2 pixels, with the last row and column repeated."""
    x = np.pad(x, [(0, side % 2) for side in x.shape], mode="edge")
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


def test_other_packages_compute_the_same():
    x, y = waves(48, 40)
    assert psnr(x, y).item() == pytest.approx(PSNR, rel=1e-13)
    assert ssim(x, y).item() == pytest.approx(SSIM, rel=1e-12)
    assert ms_ssim(*waves(176, 192)).item() == pytest.approx(MS_SSIM, rel=1e-12)


@pytest.mark.parametrize("peak", [1.0, 255.0])
def test_psnr_and_ssim_are_the_formulas_of_each_image(peak):
    x, y = peak * uniform(2, 2, 13, 14), peak * uniform(2, 2, 13, 14, seed=1)
    a, b = x.numpy(), y.numpy()
    wanted = [10 * math.log10(peak**2 / ((one - other) ** 2).mean()) for one, other in zip(a, b, strict=True)]
    np.testing.assert_allclose(psnr(x, y, peak), wanted, rtol=1e-12)
    wanted = [np.mean([windowed(a[n, c], b[n, c], peak)[0] for c in range(2)]) for n in range(2)]
    np.testing.assert_allclose(ssim(x, y, peak), wanted, rtol=1e-10)
    assert ssim(x, y, peak).dtype == psnr(x, y, peak).dtype == torch.float64


@pytest.mark.parametrize("sides", [(161, 162), (163, 170)])
def test_ms_ssim_is_the_formula_at_odd_and_even_sides(sides):
    x, y = waves(*sides, 1)
    a, b = (image[0, 0].double().numpy() for image in (x, y))
    wanted = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        if scale:
            a, b = coarser(a), coarser(b)
        whole, structure = windowed(a, b, 255)
        wanted *= (whole if scale == 4 else structure) ** weight
    assert ms_ssim(x, y).item() == pytest.approx(wanted, rel=1e-11)


def test_channels_are_means_and_images_are_apart_whatever_the_chunks(monkeypatch):
    x, y = (torch.cat([uniform(3, 2, 161, 165, seed=seed), torch.zeros(1, 2, 161, 165)]) for seed in (0, 1))
    x[3, 0] = 0.5
    every = [call(x, y, 1.0) for call in (psnr, ssim, ms_ssim)]
    for n in range(4):
        assert [float(call(x[n : n + 1], y[n : n + 1], 1.0)) for call in (psnr, ssim, ms_ssim)] == pytest.approx(
            [float(values[n]) for values in every], rel=1e-12
        )
    for call in (ssim, ms_ssim):
        alone = [call(x[:, c : c + 1], y[:, c : c + 1], 1.0) for c in (0, 1)]
        torch.testing.assert_close(call(x, y, 1.0), sum(alone) / 2, rtol=1e-12, atol=0)
    energies = gradient_energy(x)
    for at_once in (1, 2 * 161 * 165 * 2):
        monkeypatch.setattr(module, "AT_ONCE", at_once)
        for call, values in zip((psnr, ssim, ms_ssim), every, strict=True):
            torch.testing.assert_close(call(x, y, 1.0), values, rtol=1e-12, atol=0)
        torch.testing.assert_close(gradient_energy(x), energies, rtol=1e-12, atol=0)


def test_equal_images_are_as_alike_as_can_be():
    x, _ = waves(161, 161)
    assert psnr(x, x).tolist() == [math.inf] and ssim(x, x).tolist() == ms_ssim(x, x).tolist() == [1.0]
    assert consistency_psnr(x, x).tolist() == [math.inf]


def test_opposites_have_no_structure_in_common():
    x = uniform(1, 1, 170, 170)
    assert ssim(x, 1 - x, 1.0).item() < 0 and ms_ssim(x, 1 - x, 1.0).item() == 0


def test_the_scale_of_the_values_is_that_of_the_peak():
    x, y = waves(161, 161)
    for call in PAIRS:
        torch.testing.assert_close(call(x.double() / 255, y.double() / 255, 1.0), call(x, y), rtol=1e-9, atol=0)
    assert psnr(x.float(), y).item() == psnr(x, y).item()


def test_a_border_is_left_out():
    x, y = uniform(2, 1, 20, 21), uniform(2, 1, 20, 21, seed=1)
    for call in (psnr, ssim):
        assert torch.equal(call(x, y, 1.0, border=4), call(x[..., 4:-4, 4:-4], y[..., 4:-4, 4:-4], 1.0))
        other = y.clone()
        other[..., :4, :], other[..., -4:] = 0, 1
        assert torch.equal(call(x, other, 1.0, border=4), call(x, y, 1.0, border=4))
        assert not torch.allclose(call(x, other, 1.0, border=3), call(x, y, 1.0, border=3))


def test_what_is_enlarged_by_repetition_agrees_with_the_small_image():
    small = waves(24, 20)[0]
    large = small.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert consistency_psnr(large, small, method="area").tolist() == [math.inf]
    shifted = (large.int() - 3).clamp(0).byte()
    wanted = 10 * math.log10(255**2 / float(((shifted[..., ::4, ::4].double() - small) ** 2).mean()))
    assert consistency_psnr(shifted, small, method="area").item() == pytest.approx(wanted, rel=1e-12)
    assert consistency_psnr(large, small).item() > 30 > consistency_psnr(large.flip(3), small).item()


def test_bicubic_reduction_is_antialiased_and_within_range():
    """A reduction by 4 with the kernel of Keys 1981 at a = -0.5, four times as wide, weights by hand."""
    distance = np.abs((np.arange(-8, 8) + 0.5) / 4)
    near, far = 1.5 * distance**3 - 2.5 * distance**2 + 1, -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    weights = np.where(distance < 1, near, far)
    weights /= weights.sum()
    x = uniform(1, 1, 48, 48)
    inner = np.array(
        [[weights @ x[0, 0, i - 6 : i + 10, j - 6 : j + 10].numpy() @ weights for j in (16, 20)] for i in (16, 20)]
    )
    small = torch.nn.functional.interpolate(x, (12, 12), mode="bicubic", antialias=True).clamp(0, 1)
    np.testing.assert_allclose(small[0, 0, 4:6, 4:6], inner, rtol=1e-9)
    assert consistency_psnr(x, small, 1.0).tolist() == [math.inf]
    step = torch.zeros(1, 1, 32, 32, dtype=torch.float64)
    step[..., 16:] = 1
    ends = torch.nn.functional.interpolate(step, (8, 8), mode="bicubic", antialias=True)
    assert ends.max() > 1 and consistency_psnr(step, ends.clamp(0, 1), 1.0).tolist() == [math.inf]


def test_gradient_energy_is_the_mean_squared_gradient():
    x = uniform(3, 2, 6, 5)
    a = x.numpy()
    wanted = (np.diff(a, axis=2) ** 2).mean((1, 2, 3)) + (np.diff(a, axis=3) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(gradient_energy(x), wanted, rtol=1e-12)
    ramp = (3.0 * torch.arange(7)[:, None] - 2.0 * torch.arange(9))[None, None] - 40
    assert gradient_energy(ramp).tolist() == [13.0]
    blurred = torch.nn.functional.avg_pool2d(x, 3, 1)
    assert (gradient_energy(blurred) < gradient_energy(x)).all()


def test_no_gradients_are_kept():
    x = uniform(1, 1, 161, 161).requires_grad_()
    found = [call(x, x.flip(2), 1.0) for call in PAIRS] + [gradient_energy(x)]
    assert not any(each.requires_grad for each in found)


@pytest.mark.parametrize("call", PAIRS)
def test_refusals_of_pairs(call):
    x = torch.full((1, 1, 161, 161), 0.5)
    for broken in (x[0], x.int(), x[:0], x > 0):
        with pytest.raises(ValueError, match=r"images must be uint8 or floating-point numbers \(B, C, H, W\); found "):
            call(x, broken)
    with pytest.raises(ValueError, match=r"in 0 to peak, 1; found values from -1 to 0.5: scale or clamp them, or give"):
        call(x, x.masked_fill(x.cumsum(3) < 1, -1.0), 1.0)
    with pytest.raises(ValueError, match=r"images must be in 0 to peak, 0.25; found values from 0.5 to 0.5"):
        call(x, x, 0.25)
    with pytest.raises(ValueError, match=r"images must be finite; found values from nan to nan"):
        call(x * torch.nan, x)
    with pytest.raises(ValueError, match=r"images must be finite; found values from inf to inf"):
        call(x, x / 0)
    with pytest.raises(ValueError, match=r"peak is the largest possible value of the images, above 0; found 0"):
        call(x, x, 0)


@pytest.mark.parametrize("call", [psnr, ssim, ms_ssim])
def test_refusals_of_shapes(call):
    x = torch.zeros(1, 1, 161, 170)
    with pytest.raises(ValueError, match=r"equal shapes; found float32 \(1, 1, 161, 170\) and uint8 \(1, 1, 161, 161"):
        call(x, torch.zeros(1, 1, 161, 161, dtype=torch.uint8))
    if call is ms_ssim:
        with pytest.raises(ValueError, match=r"images must be at least 161x161; found 160x170"):
            ms_ssim(x[:, :, 1:], x[:, :, 1:])
        return
    with pytest.raises(ValueError, match=r"border counts pixels at each edge, at least 0; found -1"):
        call(x, x, border=-1)
    least = {psnr: 1, ssim: 11}[call]
    border = (161 - least) // 2
    assert call(x, x, border=border).isfinite().all() == (call is ssim)
    with pytest.raises(ValueError, match=rf"at least {least}x{least} within a border of {border + 1}; found 161x170"):
        call(x, x, border=border + 1)


def test_more_refusals():
    with pytest.raises(ValueError, match=r"images must be at least 11x11; found 10x12"):
        ssim(torch.zeros(1, 1, 10, 12), torch.zeros(1, 1, 10, 12))
    with pytest.raises(ValueError, match=r"images of sides of at least 2; found float32 \(1, 1, 2, 1\)"):
        gradient_energy(torch.zeros(1, 1, 2, 1))
    with pytest.raises(ValueError, match=r"images must be finite; found values from nan to nan"):
        gradient_energy(torch.full((1, 1, 2, 2), torch.nan))
    x = torch.zeros(2, 3, 8, 8)
    with pytest.raises(ValueError, match=r"method is 'bicubic' or 'area'; found 'nearest'"):
        consistency_psnr(x, x, method="nearest")
    for small in (x[:1], x[:, :1], torch.zeros(2, 3, 4, 9)):
        with pytest.raises(ValueError, match=r"needs its small one, of the same channels and at most its size; found"):
            consistency_psnr(x, small)
