"""Conditions as rows of named numbers: what they are taken for, their scale, and what may be asked for."""

import json

import numpy as np
import pytest
import torch

from zerosum.conditions.components import Attributes, Vector
from zerosum.conditions.labels import Labels
from zerosum.data.conditions import conditions_of
from zerosum.data.dataset import Dataset, in_memory
from zerosum.data.inspect import info
from zerosum.data.sources.arrays import Arrays, ArraySource
from zerosum.data.sources.torchset import from_torch

RANDOM = np.random.default_rng(0)
YES = RANDOM.integers(0, 2, (50, 3))
NUMBERS = RANDOM.normal(size=(50, 2)) * [0.01, 1e6] + [1e3, -5]
NAMES = ("angle", "age")
GREY = RANDOM.integers(0, 256, (50, 8, 8), dtype=np.uint8)


def attributes():
    return conditions_of("faces", YES, ("smiling", "glasses", "hat")).kind


def numbers():
    return conditions_of("faces", NUMBERS, NAMES).kind


def encoded(found):
    return found.kind.encode(found.values)


@pytest.mark.parametrize("rows", [YES, YES.astype(bool), YES.astype(np.float32), torch.tensor(YES), YES.tolist()])
def test_rows_of_0_and_1_are_attributes_that_stay_as_they_are(rows):
    found = conditions_of("faces", rows)
    assert isinstance(found.kind, Attributes) and found.kind.components == ("0", "1", "2") and found.notes == ()
    scaled = encoded(found)
    assert scaled.dtype == torch.float32 and np.array_equal(scaled, YES)


def test_other_numbers_get_mean_0_and_standard_deviation_1():
    found = conditions_of("faces", NUMBERS, NAMES)
    assert isinstance(found.kind, Vector)
    assert found.kind.schema.mean == pytest.approx(NUMBERS.mean(0), rel=1e-12)
    assert found.kind.schema.std == pytest.approx(NUMBERS.std(0), rel=1e-9)
    wanted = (NUMBERS - NUMBERS.mean(0)) / NUMBERS.std(0)
    np.testing.assert_allclose(encoded(found), wanted, rtol=1e-5, atol=1e-6)
    assert isinstance(conditions_of("faces", [[0, 1], [1, 2]]).kind, Vector), "one number that is neither 0 nor 1"


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1.0, 1e30, 1e300])
def test_numbers_of_any_scale_and_place_are_distinguished(scale):
    values = scale * np.array([1.0, 2.0, 3.0, 6.0])
    for rows, digits in ((values, 1e-6), (1.7e9 + np.array([1.0, 2.0, 3.0, 6.0]), 1e-6)):
        found = conditions_of("times", rows)
        wanted = (np.array([1.0, 2.0, 3.0, 6.0]) - 3) / np.sqrt(3.5)
        np.testing.assert_allclose(encoded(found)[:, 0], wanted, rtol=digits)


def test_what_never_changes_is_noted_and_stays_finite():
    found = conditions_of("faces", [[0.1, 5.0, 1.0], [0.1, 5.0, 2.0], [0.1, 5.0, 4.0]], ("a", "b", "c"))
    assert found.notes == ("components that are constant over all samples and carry no information: a, b",)
    assert torch.allclose(encoded(found)[:, :2], torch.zeros(3, 2), atol=1e-7)
    assert conditions_of("faces", [[0, 1], [1, 1]]).notes[0].endswith("carry no information: 1")


def test_some_rows_are_kept_at_random_and_few_of_long_ones():
    rows = np.arange(5_000.0)
    kept = conditions_of("many", rows).kind.schema.examples[:, 0]
    assert len(kept) == 512 and len({*kept.tolist()}) == 512 and {*kept.tolist()} <= {*rows}
    assert abs(kept[:100].mean() - 2_500) < 500, "the first of them are as good a sample as any"
    assert torch.equal(kept, conditions_of("many", rows).kind.schema.examples[:, 0])
    assert conditions_of("text", RANDOM.normal(size=(100, 1024))).kind.schema.examples.shape == (64, 1024)
    assert conditions_of("text", RANDOM.normal(size=(8, 16_384))).kind.schema.examples.shape == (4, 16_384)


def test_facts_survive_a_file_to_the_last_bit():
    for kind in (attributes(), numbers(), attributes().with_unknown()):
        back = type(kind).restored(json.loads(json.dumps(kind.facts)), kind.state_dict())
        assert back.facts == kind.facts
        assert (back.schema.mean, back.schema.std) == (kind.schema.mean, kind.schema.std)
        assert torch.equal(back.schema.examples, kind.schema.examples)


def test_what_is_not_asked_for_is_as_in_rows_of_the_data():
    kind = attributes()
    plain, examples = kind.values(120), kind.schema.examples
    assert torch.equal(plain[:50], examples) and torch.equal(plain[50:100], examples)
    some = kind.values(120, {"glasses": 1})
    assert torch.equal(some[:, [0, 2]], plain[:, [0, 2]]) and bool((some[:, 1] == 1).all())
    assert bool((kind.values(10, {"glasses": 1})[:, 1] == 1).all())
    assert torch.equal(kind.values(120), plain), "asking leaves the rows as they were"


def test_numbers_may_be_asked_for_one_by_one_and_rows_in_turn():
    kind = numbers()
    assert kind.values(3, {"age": [1, 2, 3.5]})[:, 1].tolist() == [1, 2, 3.5]
    assert kind.values(3, [7, 8]).tolist() == [[7, 8]] * 3
    assert kind.values(3, np.array([[1, 2], [3, 4]])).tolist() == [[1, 2], [3, 4], [1, 2]]
    assert kind.values(2, torch.tensor([[1.0, 2.0]])).dtype == torch.float64


@pytest.mark.parametrize(
    ("kind", "wanted", "message"),
    [
        (attributes, {"smile": 1}, "no condition is called 'smile'; there are smiling, glasses, hat"),
        (attributes, {"hat": 2}, "hat is binary, 1 or 0; found 2"),
        (attributes, {"hat": 0.5}, r"hat is binary, 1 or 0; found 0\.5"),
        (attributes, [[1, 0, 1], [1, -1, 0]], "glasses is binary, 1 or 0; found -1"),
        (numbers, {"age": np.nan}, "age is a finite number; found nan"),
        (numbers, {"age": np.inf}, "age is a finite number; found inf"),
        (numbers, {"age": [1, 2]}, r"age should be one number, or one for each of 4 samples; found shape \(2,\)"),
        (numbers, {"age": "old"}, "the values of age should be numbers, but are <U3"),
        (numbers, [1, 2, 3], r"conditions are rows of 2 numbers \(angle, age\); found shape \(3,\)"),
        (numbers, np.zeros((0, 2)), r"conditions are rows of 2 numbers .* found shape \(0, 2\)"),
        (numbers, 3.0, r"conditions are rows of 2 numbers .* found shape \(\)"),
        (numbers, ["a", "b"], "the conditions should be numbers, but are <U1"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(kind, wanted, message):
    with pytest.raises(ValueError, match=message):
        kind().values(4, wanted)


def test_unknown_attributes_may_be_asked_for_where_that_is_allowed():
    assert attributes().with_unknown().values(2, [0.5] * 3).tolist() == [[0.5] * 3] * 2


@pytest.mark.parametrize(
    ("rows", "names", "message"),
    [
        (
            np.zeros((2, 2, 2)),
            None,
            r"the conditions of x should be rows \(N, components\) of numbers, but are \(2, 2, 2",
        ),
        (np.zeros((2, 0)), None, r"should be rows \(N, components\) of numbers, but are \(2, 0\)"),
        (np.array([["a"]]), None, "the conditions of x should be numbers, but are <U1"),
        ([[1, 2]], ("a",), "the 2 condition components of x should have as many unique names, but have a"),
        ([[1, 2]], ("a", "a"), "should have as many unique names, but have a, a"),
        ([[1, 2], [3, np.nan]], ("a", "b"), "the condition b of x is not a finite number in row 1"),
        ([[1, 2], [np.inf, 3]], None, "the condition 0 of x is not a finite number in row 1"),
    ],
)
def test_rows_that_are_no_conditions_are_refused(rows, names, message):
    with pytest.raises(ValueError, match=message):
        conditions_of("x", rows, names)


def test_of_many_names_the_first_are_listed():
    kind = conditions_of("text", RANDOM.normal(size=(9, 30))).kind
    with pytest.raises(ValueError, match=r"there are 0, 1, .*, 19 and 10 more$"):
        kind.schema.index("thirty")


def test_a_data_set_has_labels_or_conditions_one_for_each_sample():
    made = in_memory("x", torch.zeros(4, 2), conditions=[0, 1, 2, 3], condition_names=("age",), notes=("a note",))
    assert made.conditions.values[:, 0].tolist() == [0, 1, 2, 3] and made.notes == ("a note",)
    with pytest.raises(ValueError, match="x has both labels and conditions, but a game uses one of them: pass"):
        in_memory("x", torch.zeros(4, 2), torch.zeros(4).long(), ("a",), conditions=[0, 1, 2, 3])
    with pytest.raises(ValueError, match="x has 4 samples, but 3 conditions: pass one for each sample"):
        Dataset("x", (2,), 4, torch.zeros(4, 2).__getitem__, conditions=conditions_of("x", [1, 2, 3]))
    assert in_memory("x", torch.zeros(2, 2), conditions=[1, 1]).notes[0].endswith("carry no information: 0")


def saved(folder, **content):
    np.savez(folder / "data.npz", **content)
    return str(folder / "data.npz")


@pytest.mark.parametrize("key", ["images", "anything"])
def test_an_npz_holds_conditions_beside_its_samples(tmp_path, key):
    found = Arrays(saved(tmp_path, **{key: GREY, "conditions": NUMBERS, "condition_names": np.array(NAMES)})).open()
    assert found.conditions.kind.components == NAMES and np.array_equal(found.conditions.values, NUMBERS)
    assert (found.labels, found.classes, found.shape) == (None, (), (1, 8, 8))
    single = Arrays(saved(tmp_path, x=GREY, angle=NUMBERS[:, 0]), conditions="angle").open()
    assert single.conditions.kind.components == ("0",) and single.conditions.values.shape == (50, 1)
    dark = Arrays(saved(tmp_path, images=GREY // 255, conditions=np.ones(50))).open()
    assert [note[:11] for note in dark.notes] == ["no pixel is", "components "]


def test_of_labels_and_conditions_in_an_npz_the_one_named_counts(tmp_path):
    path = saved(tmp_path, images=GREY, labels=np.arange(50) % 2, conditions=NUMBERS)
    with pytest.raises(ValueError, match=r"data.npz has both labels, under 'labels', and conditions: choose one"):
        Arrays(path).open()
    labelled, conditioned = Arrays(path, labels="labels").open(), Arrays(path, conditions="conditions").open()
    assert labelled.classes == ("0", "1") and isinstance(labelled.condition, Labels)
    assert conditioned.labels is None and conditioned.conditions is not None
    with pytest.raises(ValueError, match=r"data.npz was given keys for both labels and conditions, but a game"):
        Arrays(path, labels="labels", conditions="conditions").open()
    with pytest.raises(ValueError, match=r"data.npz has no 'ages', but has images"):
        Arrays(path, conditions="ages").open()


def test_an_array_may_have_conditions():
    found = ArraySource(GREY, conditions=YES, condition_names=("a", "b", "c")).open()
    assert isinstance(found.condition, Attributes) and found.conditions.kind.components == ("a", "b", "c")
    points = ArraySource(NUMBERS, conditions=NUMBERS[:, 0]).open()
    assert points.shape == (2,) and points.conditions.values.shape == (50, 1)


class Items:
    """A map-style data set that counts what is read."""

    def __init__(self, items):
        self.items, self.reads = items, 0

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        self.reads += 1
        return self.items[index]


@pytest.mark.parametrize("kind", [np.array, torch.tensor], ids=["array", "tensor"])
def test_items_of_torch_may_carry_rows(kind):
    made = from_torch(Items([(image, kind(row)) for image, row in zip(GREY, YES, strict=True)])).open()
    assert (
        np.array_equal(made.conditions.values, YES) and made.labels is None and isinstance(made.condition, Attributes)
    )
    named = from_torch(Items([(p, kind(r)) for p, r in zip(GREY, YES, strict=True)]), condition_names=("a", "b", "c"))
    assert named.open().conditions.kind.components == ("a", "b", "c")


def test_conditions_given_beside_items_of_torch_spare_a_reading():
    items = Items([(GREY[0], 3)] * 1000)
    found = from_torch(items, conditions=np.linspace(0, 1, 1000)).open()
    assert items.reads < 300 and found.labels is None and found.conditions.kind.components == ("0",)
    with pytest.raises(ValueError, match="was given both labels and conditions, but a game uses one of them: pass"):
        from_torch(items, labels=[0] * 1000, conditions=[0] * 1000)
    with pytest.raises(ValueError, match=r"items of Items have conditions of shapes \[\(2,\), \(3,\)\]: give all one"):
        from_torch(Items([(GREY[0], np.zeros(2)), (GREY[1], np.zeros(3))])).open()
    with pytest.raises(ValueError, match=r"have conditions of shapes \[\(\), \(3,\)\]: give all one"):
        from_torch(Items([(GREY[0], 1), (GREY[1], np.zeros(3))])).open()


def test_information_tells_conditions():
    found = info(ArraySource(GREY, conditions=NUMBERS, condition_names=NAMES).open())
    age = found.conditions["age"]
    assert (age.attribute, age.low, age.high) == (False, NUMBERS[:, 1].min(), NUMBERS[:, 1].max())
    assert (age.mean, age.std) == (pytest.approx(NUMBERS[:, 1].mean()), pytest.approx(NUMBERS[:, 1].std()))
    (same,) = info(ArraySource(GREY, conditions=np.full(50, 3.0)).open()).conditions.values()
    assert (same.low, same.mean, same.std) == (3, 3, 0)
    assert info(ArraySource(GREY).open()).conditions == {}
    assert info(ArraySource(GREY, conditions=YES).open()).conditions["1"].attribute
