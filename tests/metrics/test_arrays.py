"""Every public function of the room takes numpy arrays as it takes tensors, and says so where it cannot."""

import inspect
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

import zerosum.features.classifier
import zerosum.metrics
from zerosum._arrays import tensor
from zerosum._rooms import modules
from zerosum.evaluation import classification_accuracy
from zerosum.evaluation.sanity import distortions
from zerosum.features.classifier import train_classifier
from zerosum.metrics import Moments
from zerosum.probes import connected, fitting, rules

DRAW = torch.Generator().manual_seed(0)
X, Y, Z = (torch.randn(n, 3, generator=DRAW, dtype=torch.float64) for n in (24, 20, 22))
LABELS, OTHERS = torch.arange(24) % 2, torch.arange(20) % 2
IMAGES = torch.randint(256, (24, 3, 16, 16), dtype=torch.uint8, generator=DRAW)
LAST = IMAGES.permute(0, 2, 3, 1).contiguous()
P, Q = (torch.rand(5, generator=DRAW, dtype=torch.float64).softmax(0) for _ in range(2))


def drawn(parameters):
    """Images whose pixels are lines in two parameters."""
    ramp = torch.linspace(-1, 1, 3 * 16 * 16).view(3, 16, 16)
    return parameters[:, :1, None, None] * ramp + parameters[:, 1:2, None, None]


VIEWS = torch.rand(9, 2, generator=DRAW)
SMALL = (drawn(VIEWS[:4]) * 60 + 120).byte()
LARGE = torch.randint(256, (2, 1, 161, 161), dtype=torch.uint8, generator=DRAW)

CALLS = {
    "black_rectangles": ((LAST, 0.5), {}),
    "classification_accuracy_score": ((IMAGES, LABELS, IMAGES, LABELS, 2), {"seen": 256}),
    "components": ((IMAGES[:, 0] > 128,), {}),
    "consistency_psnr": ((IMAGES, IMAGES[..., ::2, ::2]), {}),
    "contaminated": ((LAST, 0.5), {"other": LAST.flip(0)}),
    "cross_entropy": ((P, Q), {}),
    "density_coverage": ((X, Y), {}),
    "entropy": ((P,), {}),
    "exactly": ((IMAGES, LABELS, (4.0, 90.0)), {}),
    "fewer": ((X, 0.5), {}),
    "frechet_distance": ((X, Y), {}),
    "frechet_infinity": ((X, Y), {}),
    "gaussian_blur": ((LAST, 0.5), {}),
    "gaussian_noise": ((LAST, 0.5), {}),
    "gradient_energy": ((IMAGES,), {}),
    "inception_score": ((X,), {}),
    "intra_class_frechet": ((X, LABELS, Y, OTHERS), {}),
    "js_divergence": ((P, Q), {}),
    "kernel_distance": ((X, Y), {}),
    "kl_divergence": ((P, Q), {}),
    "label_coverage": ((LABELS, LABELS > 0, torch.tensor([0.5, 0.5])), {}),
    "residual_share": ((SMALL, drawn, VIEWS), {}),
    "linear_probe": ((X, Y), {}),
    "memorised": ((X, 0.5), {"train": X.flip(0)}),
    "mirrored": ((IMAGES,), {}),
    "mode_coverage": ((X[:, :2], Y[:4, :2], 0.5), {}),
    "modes_dropped": ((X, 0.5), {"labels": LABELS}),
    "moments_of": ((X,), {}),
    "ms_ssim": ((LARGE, LARGE.flip(0)), {}),
    "nearest_drawing": ((drawn(VIEWS[:4]), drawn, VIEWS), {}),
    "nearest_neighbours": ((X, Y, Z), {}),
    "object_counts": ((IMAGES, (4.0, 90.0)), {}),
    "one_of_each": ((IMAGES,), {}),
    "one_view": ((SMALL, drawn, VIEWS), {}),
    "path_length_between": ((X, X + 1), {}),
    "perceptual_path_length": ((lambda z: z.square(), X, X.flip(0)), {}),
    "precision_recall": ((X, Y), {}),
    "psnr": ((IMAGES, IMAGES.flip(0)), {}),
    "repeated": ((X, 0.5), {}),
    "salt_and_pepper": ((LAST, 0.5), {}),
    "sliced_wasserstein": ((X, Y), {"directions": 9}),
    "ssim": ((IMAGES, IMAGES.flip(0)), {}),
    "swirl": ((LAST, 0.5), {}),
    "train_classifier": ((IMAGES, LABELS, 2), {"seen": 256}),
    "asymmetry": ((IMAGES,), {}),
    "vendi_score": ((X,), {}),
    "wasserstein_1d": ((X[:, 0], Y[:, 0], X[:, 1].abs(), Y[:, 1].abs()), {}),
}
WITHOUT_NUMBERS = {"frechet_distance_from_moments", "moments_facts", "mode_radius", "restored"}
WITHOUT_NUMBERS |= {"fit", "new_network", "shifted_batches"}  # which train
WITHOUT_NUMBERS |= {"groups", "jackknife", "leave_one_out", "trimmed_mean"}  # for the standard errors of metrics


def as_arrays(values, make=np.asarray):
    return [make(value.numpy()) if isinstance(value, Tensor) else value for value in values]


def plain(value):
    """A result as numbers and lists, whatever it is made of."""
    if isinstance(value, Moments):
        return {"count": value.count, "mean": value.mean.tolist(), "covariance": value.covariance.tolist()}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value) if field.name != "reader"}
    return value.tolist() if isinstance(value, Tensor) else value


def same(found, expected):
    """Equal but for the order in which numbers are summed, which goes by how an array lies in memory."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            same(found[key], expected[key])
    elif expected is None:
        assert found is None
    else:
        np.testing.assert_allclose(np.asarray(found, float), np.asarray(expected, float), rtol=1e-9, atol=1e-12)


def functions():
    """Those of every public module of metrics, and of what elsewhere computes on arrays."""
    others = (connected, fitting, rules, distortions, classification_accuracy, zerosum.features.classifier)
    return {
        name: value
        for module in (*modules("zerosum.metrics"), *others)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }


def test_no_function_is_left_out():
    assert functions().keys() == CALLS.keys() | WITHOUT_NUMBERS and not CALLS.keys() & WITHOUT_NUMBERS


@pytest.mark.parametrize("name", CALLS)
def test_numpy_arrays_give_what_tensors_give(name):
    call = functions()[name]
    positional, named = CALLS[name]
    expected = plain(call(*positional, **named))
    pairs = dict(zip(named, as_arrays(named.values()), strict=True))
    same(plain(call(*as_arrays(positional), **pairs)), expected)


def turned(array):
    """The same numbers, read backwards from memory that may not be written."""
    back = np.ascontiguousarray(array[::-1])
    back.flags.writeable = False
    return back[::-1]


@pytest.mark.parametrize("name", ["frechet_distance", "kl_divergence", "precision_recall", "intra_class_frechet"])
@pytest.mark.parametrize("make", [turned, np.asfortranarray, lambda array: array.tolist()])
def test_views_read_only_arrays_and_lists_do_too(name, make):
    positional, _ = CALLS[name]
    call = functions()[name]
    same(plain(call(*as_arrays(positional, make))), plain(call(*positional)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_precision_is_read_as_it_is(dtype):
    x, y = (features.numpy().astype(dtype) for features in (X, Y))
    expected = zerosum.metrics.kernel_distance(torch.from_numpy(x), torch.from_numpy(y))
    assert zerosum.metrics.kernel_distance(x, y) == expected


def test_methods_take_arrays():
    one, other = Moments(3), Moments(3)
    one.add(X), other.add(X.numpy())
    assert torch.equal(one.mean, other.mean)
    classifier = train_classifier(IMAGES, LABELS, 2, seen=256)
    assert torch.equal(classifier.probabilities(IMAGES), classifier.probabilities(IMAGES.numpy()))
    assert torch.equal(classifier.features(IMAGES), classifier.features(IMAGES.numpy()))


def test_nothing_is_copied_without_need_and_lists_keep_their_digits():
    array = X.numpy()
    assert tensor(array).data_ptr() == X.data_ptr() and tensor(X) is X
    assert tensor([0.1, 0.2]).dtype == torch.float64 and tensor([[1, 2]]).dtype == torch.int64


@pytest.mark.parametrize("values", [np.array(["a"]), np.array([None]), [[1.0], [1.0, 2.0]], {"a": 1}, "text"])
def test_what_holds_no_numbers_is_refused(values):
    with pytest.raises(ValueError, match="expected a tensor, a numpy array or a list of numbers; found "):
        zerosum.metrics.entropy(values)
