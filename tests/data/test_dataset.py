import pytest
import torch

from zerosum.data.conditions import labelled
from zerosum.data.dataset import in_memory


def test_in_memory_reads_the_rows_asked_for():
    x = torch.arange(24, dtype=torch.uint8).reshape(4, 1, 2, 3)
    data = in_memory("four", x, torch.tensor([0, 1, 1, 0]), ("a", "b"))
    assert (data.name, data.shape, data.count, len(data), data.is_image) == ("four", (1, 2, 3), 4, 4, True)
    index = torch.tensor([3, 0, 3])
    assert torch.equal(data.read(index), torch.stack([x[3], x[0], x[3]]))


def test_points_are_no_images():
    assert not in_memory("points", torch.zeros(5, 2)).is_image


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(3, 1, 2, 2),
        torch.zeros(3, 2, dtype=torch.float16),
        torch.zeros(3),
        torch.zeros(3, 2).byte(),
    ],
)
def test_in_memory_refuses_other_kinds_of_tensor(x):
    with pytest.raises(ValueError, match=r"odd should be uint8 images .* or float32 or float64 points .*, but is \w+ "):
        in_memory("odd", x)


@pytest.mark.parametrize(("value", "dtype"), [(torch.inf, None), (torch.nan, None), (1e151, torch.float64)])
def test_points_that_are_not_finite_are_refused(value, dtype):
    with pytest.raises(ValueError, match="far has a point with NaN, infinity or a number above 1e\\+150: rescale or"):
        in_memory("far", torch.tensor([[0.0, 1.0], [0.0, value]], dtype=dtype))


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="nothing has no samples: use a source with at least one"):
        in_memory("nothing", torch.zeros(0, 2))


@pytest.mark.parametrize("labels", [torch.zeros(3), torch.zeros(2, dtype=torch.int64)])
def test_labels_of_another_kind_are_refused(labels):
    with pytest.raises(ValueError, match=r"labels of three should be int64 of shape \(3,\), one per sample, but"):
        in_memory("three", torch.zeros(3, 2), labels, ("a",))


@pytest.mark.parametrize(("labels", "found"), [([0, 1, 2], "0 to 2"), ([-1, 0, 1], "-1 to 1")])
def test_labels_out_of_range_are_refused(labels, found):
    with pytest.raises(ValueError, match=rf"should lie in 0\.\.1, indices of its 2 class.* range from {found}"):
        in_memory("three", torch.zeros(3, 2), torch.tensor(labels), ("a", "b"))


def test_classes_without_labels_are_refused():
    with pytest.raises(ValueError, match="three names 1 classes but has no labels"):
        labelled("three", None, ("a",))
    with pytest.raises(ValueError, match="three has labels but no class names: pass classes, one name for"):
        in_memory("three", torch.zeros(3, 2), torch.zeros(3, dtype=torch.int64))
