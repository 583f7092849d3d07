import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from zerosum.data.sources.torchset import from_torch

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)
WANTED = COLOUR.transpose(0, 3, 1, 2)


class Items:
    """A map-style dataset of the items given, which counts how often each is read."""

    def __init__(self, items):
        self.items, self.reads = list(items), 0

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        self.reads += 1
        return self.items[index]


def tensors(x):
    return [torch.from_numpy(one) for one in x]


@pytest.mark.parametrize(
    "items",
    [
        tensors(WANTED),
        tensors(COLOUR),
        tensors((WANTED / 255).astype(np.float32)),
        tensors(WANTED / 127.5 - 1),
        [one.half() for one in tensors(WANTED / 255)],
        [one.bfloat16() for one in tensors(np.rint(WANTED / 255))],
        list(COLOUR),
        list(COLOUR.astype(np.int64)),
        [Image.fromarray(one) for one in COLOUR],
    ],
    ids=["tensor", "HWC tensor", "0..1", "-1..1", "half", "bfloat16", "array", "int64", "pillow"],
)
def test_images_of_any_kind_are_read(items):
    data = from_torch(Items(items)).open()
    x = data.read(torch.tensor([5, 0, 5]))
    assert (data.name, data.count, data.shape, data.labels) == ("Items", 6, (3, 5, 7), None)
    assert x.dtype == torch.uint8
    bits = items[0].dtype == torch.bfloat16 if isinstance(items[0], torch.Tensor) else False
    assert np.array_equal(x.numpy(), (np.rint(WANTED / 255) * 255 if bits else WANTED)[[5, 0, 5]])


def test_shape_decides_over_the_convention_only_where_it_can():
    assert from_torch(Items(tensors(COLOUR[:, :3, :4]))).open().shape == (3, 4, 3)
    assert from_torch(Items(COLOUR[:, :3, :4])).open().shape == (3, 3, 4)
    assert from_torch(Items(WANTED)).open().shape == (3, 5, 7)
    assert from_torch(Items(tensors(COLOUR[..., 0]))).open().shape == (1, 5, 7)


def test_points_are_read():
    x = torch.randn(9, 2, dtype=torch.float64)
    data = from_torch(TensorDataset(x)).open()
    assert (data.name, data.shape, data.is_image) == ("TensorDataset", (2,), False)
    assert torch.equal(data.read(torch.arange(9)), x)
    assert from_torch(Items(torch.arange(3.0))).open().shape == (1,)


def test_labels_are_collected_from_the_items():
    data = from_torch(Items(zip(COLOUR, ["b", "a", "b", "b", "c", "a"], strict=True))).open()
    assert (data.labels.tolist(), data.classes) == ([1, 0, 1, 1, 2, 0], ("a", "b", "c"))
    data = from_torch(TensorDataset(torch.from_numpy(WANTED), torch.tensor([0, 1, 1, 0, 4, 4]))).open()
    assert (data.labels.tolist(), data.classes) == ([0, 1, 1, 0, 2, 2], ("0", "1", "4"))
    assert np.array_equal(data.read(torch.arange(6)).numpy(), WANTED)


def test_opening_reads_no_more_than_it_must():
    many = Items([(COLOUR[0], 0)] * 1000)
    assert from_torch(many, labels=[1] * 1000).open().classes == ("1",)
    assert many.reads < 300
    from_torch(many).open()
    assert many.reads > 1000


def test_items_are_read_again_each_time():
    class Noise:
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return torch.rand(1, 8, 8)

    data = from_torch(Noise()).open()
    index = torch.tensor([1])
    assert not torch.equal(data.read(index), data.read(index))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "Items has no items: pass a dataset with at least one"),
        (
            [{"image": 1}],
            r"item 0 of Items should be an image \(C, H, W\), a point \(d,\) or a tuple .*, but is a dict",
        ),
        ([np.zeros((1, 2, 3, 4))], r"should be an image .* but is float64 of shape \(1, 2, 3, 4\)"),
        ([np.array(["a"])], "should be an image .* but is <U1 of shape"),
        ([()], "should be an image .* but is a tuple"),
        ([torch.zeros(3, dtype=torch.int64)], r"item 0 of Items is a point, which should be floats, but is int64"),
        (
            [COLOUR[0], COLOUR[0, :4]],
            r"item 1 of Items is uint8 of shape \(3, 4, 7\), but the first .*: make all alike",
        ),
        ([COLOUR[0], COLOUR[0] / 255], "item 1 of Items is float64 .* but the first item is uint8"),
        ([COLOUR[0] / 1.0], r"the pixels of Items should be integers in 0\.\.255, or floats .* convert them with"),
        ([COLOUR[0] * np.nan], "item 0 of Items has a NaN or infinite value"),
        (
            [(COLOUR[0], {"boxes": 1})],
            "the label of item 0 of Items should be a number or a string, or a row of numbers, but is a d",
        ),
        ([(COLOUR[0], COLOUR[0])], r"the label of item 0 of Items should be .*, but is uint8 of shape \(5, 7, 3\)"),
        ([(COLOUR[0], 0.5)], "labels of Items should be integers or strings, but are float64"),
    ],
)
def test_items_that_cannot_be_data_are_refused(items, message):
    with pytest.raises(ValueError, match=message):
        from_torch(Items(items)).open()


def test_labels_of_another_count_are_refused():
    with pytest.raises(ValueError, match=r"Items has 6 samples, but labels of shape \(5,\): pass one for each sample"):
        from_torch(Items(COLOUR), labels=[0] * 5).open()


def test_images_outside_the_range_first_seen_are_refused():
    items = [np.full((4, 4), 0.5)] * 600
    items[1] = -items[1]
    data = from_torch(Items(items)).open()
    with pytest.raises(ValueError, match=r"images of Items range from -0.5 to -0.5, but those inspected .* from 0.5"):
        data.read(torch.tensor([1]))
    items[1] = items[1] * np.inf
    data = from_torch(Items(items)).open()
    with pytest.raises(ValueError, match="a batch of Items has a NaN or infinite value"):
        data.read(torch.tensor([1]))


def test_images_may_enter_mirrored_too():
    x = torch.arange(24).view(2, 1, 3, 4).byte()
    data = from_torch(Items([(image, label) for image, label in zip(x, "ab", strict=True)]), flip=True).open()
    assert data.count == 4 and data.labels.tolist() == [0, 0, 1, 1]
    assert torch.equal(data.read(torch.arange(4)), torch.stack([x[0], x[0].flip(-1), x[1], x[1].flip(-1)]))
    with pytest.raises(ValueError, match="has points, which have no mirror images: leave out flip"):
        from_torch(Items([torch.zeros(2)]), flip=True).open()
