"""The trained generator: what it samples, what it refuses, and its file."""

from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from zerosum.conditions.labels import Labels
from zerosum.data.conditions import conditions_of
from zerosum.game.latents import Normal
from zerosum.networks.mlp import MLPDiscriminator, MLPGenerator
from zerosum.objectives.wasserstein import Hinge
from zerosum.recipes.recipe import Recipe
from zerosum.runs.generator import TrainedGenerator, build_generator, generator_bytes, load
from zerosum.runs.images import to_bytes
from zerosum.runs.stored_condition import condition_of

RECIPE = Recipe(
    name="tiny",
    generator=MLPGenerator(hidden=(8,), embedding=2),
    discriminator=MLPDiscriminator(hidden=(8,)),
    objective=Hinge(),
    latent=Normal(3),
    conditional=True,
)


ANGLES = conditions_of("x", np.stack([np.linspace(-90, 90, 40), np.arange(40) % 7], 1), ("angle", "age")).kind
FACES = conditions_of("x", np.stack([np.arange(40) % 2, np.arange(40) % 3 > 0], 1), ("smiling", "hat")).kind


def made(recipe=RECIPE, shape=(1, 4, 5), classes=("cat", "dog", "7")):
    return tabled(Labels(len(classes), classes=classes), recipe, shape)


def tabled(kind, recipe=RECIPE, shape=(1, 4, 5)):
    torch.manual_seed(0)
    condition = condition_of(recipe, kind)
    return TrainedGenerator(recipe, build_generator(recipe, shape, condition).eval(), shape, 123, condition)


def test_bytes_are_the_nearest_of_256_levels():
    x = torch.tensor([-1.0, 1.0, 0.0, -2.0, 5.0, 0.5]).view(1, 1, 2, 3)
    assert to_bytes(x)[0, :, :, 0].tolist() == [[0, 255, 128], [0, 255, 191]]


def test_samples_are_what_the_network_makes_of_the_latents():
    generator = made()
    z, labels = generator.latents(7, seed=4), np.array([2, 2, 0, 1, 0, 1, 2])
    with torch.no_grad():
        x = generator.module(z, torch.from_numpy(labels))
    assert np.array_equal(generator.sample(7, seed=4, labels=labels), to_bytes(x))
    assert not np.array_equal(generator.sample(7, seed=5, labels=labels), to_bytes(x))


def test_sample_i_is_the_same_for_every_n():
    generator = made()
    many = generator.sample(1100, seed=1)
    for n in (1, 2, 17, 512, 513):
        assert np.array_equal(generator.sample(n, seed=1), many[:n])
    z = generator.latents(1100, seed=1)
    assert len(z.unique(dim=0)) == 1100, "no latent comes twice, in whatever block"


@pytest.mark.parametrize("n", [1, 512, 1100])
def test_sample_batches_are_the_same_samples_a_few_hundred_at_a_time(n):
    for generator in (made(), tabled(ANGLES)):
        batches = [*generator.sample_batches(n, seed=2)]
        assert np.array_equal(np.concatenate(batches), generator.sample(n, seed=2))
        assert max(map(len, batches)) <= 512
    labels = np.arange(n) % 2
    asked = np.concatenate([*made().sample_batches(n, labels=labels)])
    assert np.array_equal(asked, made().sample(n, labels=labels))
    with pytest.raises(ValueError, match="n should be at least 1; found 0"):
        next(made().sample_batches(0))


def test_classes_go_round_evenly_and_are_found_by_name_or_number():
    generator = made()
    assert generator.labels(7).tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert generator.labels(3, ["dog", "1", "7"]).tolist() == [1, 1, 2]
    with pytest.raises(ValueError, match="no class 'eleven'; there are cat, dog, 7"):
        generator.sample(2, labels="eleven")


def test_a_class_may_be_asked_for_all_samples_at_once_by_index_or_name():
    generator = made()
    wanted = generator.sample(5, labels=[1] * 5)
    for one in (1, "dog", np.int64(1), torch.tensor(1), np.array(["dog"] * 5), ["dog", "1", "dog", "dog", "1"]):
        assert np.array_equal(generator.sample(5, labels=one), wanted)
        assert np.array_equal(generator.sample(5, conditions=one), wanted)
    with pytest.raises(ValueError, match="sample was given both labels and conditions: pass only one"):
        generator.sample(5, labels=1, conditions=1)


def test_a_number_is_no_index_where_classes_are_named_by_numbers():
    generator = made(classes=("3", "5", "7"))
    assert generator.labels(2, "5").tolist() == [1, 1] and generator.labels(1, 1).tolist() == [1]
    with pytest.raises(ValueError, match="no class '1'; there are 3, 5, 7"):
        generator.sample(2, labels="1")


def test_classes_are_found_by_equal_numbers_and_never_by_place_among_numbers():
    circles = Labels(2, classes=("1.0", "2.0"))
    assert [circles.index(name) for name in ("1", "2", "2.0", "02")] == [0, 1, 1, 1]
    mixed = Labels(3, classes=("cat", "3", "-1"))
    assert [mixed.index(name) for name in ("3", "-1", "cat", "0", "2")] == [1, 2, 0, 0, 2]
    for labels, name in ((circles, "0"), (Labels(3, classes=("3", "-1", "0.5")), "1"), (mixed, "4"), (mixed, "-2")):
        with pytest.raises(ValueError, match=f"no class '{name}'; there are"):
            labels.index(name)
    with pytest.raises(ValueError, match=r"from 0 to 2; found 3: for the class called 3, pass its name, '3'"):
        mixed.values(1, 3)


def test_class_names_come_in_any_sequence_of_texts():
    labels = Labels(3, classes=("cat", "dog", "eel"))
    names = ["eel", "cat"]
    for wanted in (names, tuple(names), np.array(names), np.array(names, dtype=object)):
        assert labels.values(2, wanted).tolist() == [2, 0]
    assert labels.values(2, np.str_("dog")).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([0, 1], r"shape \(2,\)"),
        ([0, 1, 3], "3"),
        ([-1, 0, 0], "-1"),
        ([[0], [1], [2]], r"shape \(3, 1\)"),
        (3, "3"),
        (1.5, "1.5"),
        (True, "True"),
        ({"age": 3}, "{'age': 3}"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, found):
    wanted = r"labels are (a class, by its index \(0 to 2\) or name, or one for each of 3|class indices from 0 to 2;)"
    with pytest.raises(ValueError, match=rf"{wanted}.*found {found}"):
        made().sample(3, labels=labels)


def test_after_label_dropout_a_sample_may_be_of_no_class():
    generator = made(replace(RECIPE, label_dropout=0.2))
    labels = generator.labels(3, ["none", "cat", "dog"])
    assert labels.tolist() == [3, 0, 1]
    assert len(np.unique(generator.map(generator.latents(1).repeat(3, 1), torch.from_numpy(labels)), axis=0)) == 3
    assert generator.sample(3, labels=labels).shape == (3, 4, 5, 1)
    with pytest.raises(ValueError, match="no class 'none'; there are cat, dog, 7"):
        made().sample(1, labels="none")


def test_without_classes_there_are_no_labels():
    generator = made(replace(RECIPE, conditional=False))
    assert generator.labels(5) is None
    with pytest.raises(ValueError, match="has no classes: it was trained without labels"):
        generator.sample(2, labels=[0, 0])
    with pytest.raises(ValueError, match="has no conditions: it was trained without any"):
        generator.sample(2, conditions={"age": 3})
    with pytest.raises(ValueError, match="n should be at least 1; found 0"):
        generator.sample(0)


def test_points_come_in_the_units_of_the_data():
    generator = made(replace(RECIPE, conditional=False), shape=(2,))
    points = generator.sample(4)
    assert points.dtype == np.float32 and points.shape == (4, 2)


def test_a_generators_file_is_all_that_sampling_needs(tmp_path):
    generator = made()
    path = tmp_path / "generator.safetensors"
    path.write_bytes(generator_bytes(generator))
    back = load(path)
    assert back.condition == generator.condition
    assert (back.recipe, back.shape, back.classes, back.images) == (RECIPE, (1, 4, 5), ("cat", "dog", "7"), 123)
    assert np.array_equal(back.sample(5), generator.sample(5))
    assert generator_bytes(back) == path.read_bytes()


def test_files_of_others_are_refused(tmp_path):
    path = tmp_path / "generator.safetensors"
    path.write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(ValueError, match="is not a valid safetensors file"):
        load(path)
    safetensors.torch.save_file({"w": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="is not a zerosum generator"):
        load(path)
    other = replace(
        made(), module=build_generator(replace(RECIPE, generator=MLPGenerator(hidden=(9,))), (2,), Labels(3))
    )
    path.write_bytes(generator_bytes(other))
    with pytest.raises(ValueError, match="the weights do not fit the recipe's generator"):
        load(path)
    path.unlink()
    with pytest.raises(ValueError, match=r"is neither a run folder nor a generator\.safetensors file"):
        load(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.txt").write_text(repr(RECIPE))
    with pytest.raises(ValueError, match="has no checkpoint yet: train longer"):
        load(tmp_path / "run")


def test_conditions_are_asked_for_in_the_units_of_the_data():
    generator = tabled(ANGLES)
    rows = np.array([[30.0, 1.0], [-60.0, 6.0], [30.0, 6.0]])
    scaled = (rows - np.array(ANGLES.schema.mean)) / np.array(ANGLES.schema.std)
    with torch.no_grad():
        x = to_bytes(generator.module(generator.latents(3, seed=2), torch.tensor(scaled).float()))
    assert np.array_equal(generator.sample(3, seed=2, conditions=rows), x)
    by_name = {"angle": rows[:, 0], "age": rows[:, 1]}
    assert np.array_equal(generator.sample(3, seed=2, conditions=by_name), x)
    assert np.array_equal(generator.conditions(3, by_name), rows)
    attributes = tabled(FACES)
    with torch.no_grad():
        x = to_bytes(attributes.module(attributes.latents(2), torch.tensor([[1.0, 0.0], [1.0, 0.0]])))
    assert np.array_equal(attributes.sample(2, conditions={"smiling": 1, "hat": False}), x)


def test_conditions_not_asked_for_go_round_rows_of_the_data():
    generator = tabled(ANGLES)
    rows = generator.conditions(60)
    assert (
        rows.dtype == np.float64
        and np.array_equal(rows[:40], ANGLES.schema.examples)
        and np.array_equal(rows[40:], rows[:20])
    )
    assert np.array_equal(generator.sample(60), generator.sample(60, conditions=rows))
    some = generator.conditions(60, {"age": 3})
    assert np.array_equal(some[:, 0], rows[:, 0]) and (some[:, 1] == 3).all()
    assert np.array_equal(generator.sample(7, conditions={"age": 3}), generator.sample(60, conditions={"age": 3})[:7])
    assert generator.labels(5) is None and made().conditions(5).tolist() == made().labels(5).tolist()


def test_what_a_generator_did_not_learn_is_refused():
    with pytest.raises(ValueError, match="this tiny generator has no classes: it was trained without labels"):
        tabled(FACES).sample(2, labels=[0, 0])
    with pytest.raises(ValueError, match=r"smiling is binary, 1 or 0; found 0\.5"):
        tabled(FACES).sample(2, conditions=[0.5, 0.5])
    with pytest.raises(ValueError, match="n should be at least 1; found -1"):
        tabled(FACES).sample(-1)
    untold = tabled(FACES, replace(RECIPE, label_dropout=0.1)).sample(2, conditions=[0.5, 0.5])
    assert untold.shape == (2, 4, 5, 1)
    with pytest.raises(ValueError, match=r"continuous components have no value for 'unknown' \(angle, age\)"):
        tabled(ANGLES, replace(RECIPE, label_dropout=0.1))


@pytest.mark.parametrize("kind", [ANGLES, FACES], ids=["numbers", "attributes"])
def test_a_file_holds_what_asking_by_name_needs(tmp_path, kind):
    generator, path = tabled(kind), tmp_path / "generator.safetensors"
    path.write_bytes(generator_bytes(generator))
    back = load(path)
    assert back.condition.components == kind.components and np.array_equal(back.sample(50), generator.sample(50))
    assert generator_bytes(back) == path.read_bytes()
