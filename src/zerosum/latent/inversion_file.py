"""Inversions as files: points, images and, where it was tuned, the generator beside them."""

__all__ = ["load_inversion", "save_inversion"]

import json
from dataclasses import replace
from pathlib import Path

import safetensors.torch
import torch

from zerosum._arrays import separated
from zerosum._disk import replacing
from zerosum._foreign import read_tensors, taken_apart
from zerosum._json import read_json
from zerosum._paths import AnyPath, user_path
from zerosum.game.copies import copied
from zerosum.game.fitting import load_fitting
from zerosum.latent.inversion import Inversion
from zerosum.latent.model import Inputs, LatentModel, latent_model
from zerosum.latent.space import SPACES, space_of
from zerosum.runs.generator import TrainedGenerator, generator_bytes

_FORMAT = "zerosum inversion 1"


def tuned_file(path: Path) -> Path:
    """The file of the tuned generator beside an inversion's."""
    return path.with_name(f"{path.stem}-generator.safetensors")


def save_inversion(path: AnyPath, inversion: Inversion, generator: TrainedGenerator) -> list[Path]:
    """Save an inversion as `FILE.safetensors`, and its tuned generator, if any, as `FILE-generator.safetensors`.

    The latter is a generator like any other: `zerosum sample FILE-generator.safetensors`. Returns the paths.
    """
    target, tuned = user_path(path), inversion.tuned
    model = inversion.space.model
    facts = {
        "format": _FORMAT,
        "space": inversion.space.name,
        "weights": model.weights,
        "tuned": "" if tuned is None else tuned.weights,
    }
    tensors = {"points": inversion.points, "z": inversion.inputs.z, "targets": inversion.targets}
    tensors["weights"] = inversion.weights
    if inversion.inputs.c is not None:
        tensors["c"] = inversion.inputs.c
    contents = {target: safetensors.torch.save(separated(tensors), {"zerosum": json.dumps(facts)})}
    if tuned is not None:
        assert isinstance(tuned.call, torch.nn.Module)
        contents = {tuned_file(target): generator_bytes(replace(generator, module=tuned.call)), **contents}
    target.parent.mkdir(parents=True, exist_ok=True)
    for place, content in contents.items():
        with replacing(place) as file:
            file.write(content)
    return [*contents]


def load_inversion(path: AnyPath, generator: TrainedGenerator) -> Inversion:
    """The inversion in a file, for the generator that it was made with.

    Raises `ValueError` for a file that is damaged, of other weights, or whose tuned generator is missing or another.
    """
    file = user_path(path)
    tensors, metadata = read_tensors(file)
    facts = read_json(f"the metadata of {file}", metadata.get("zerosum", "{}"))
    if not isinstance(facts, dict) or facts.get("format") != _FORMAT:
        raise ValueError(f"{file} is not an inversion: its metadata lack {_FORMAT!r}")
    model = latent_model(generator)
    with taken_apart(file):
        name, weights, tuned = (str(facts[key]) for key in ("space", "weights", "tuned"))
        if weights != model.weights:
            raise ValueError(
                f"{file} belongs to other weights ({weights[:12]}) than this generator's ({model.weights[:12]}): "
                f"invert the images again"
            )
        if name not in SPACES or not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
            raise ValueError(f"{file} is damaged: its space or its numbers are none")
        space, inputs = space_of(model, name), Inputs(tensors["z"], tensors.get("c"))
        found = Inversion(space, tensors["points"], inputs, tensors["targets"], tensors["weights"])
        with torch.no_grad():
            made = space.images(found.points, inputs)
        if made.shape != found.targets.shape or made[:, :1].shape != found.weights.shape:
            raise ValueError(f"{file} is damaged: its points and images do not agree")
    return replace(found, tuned=_tuned(file, tuned, generator)) if tuned else found


def _tuned(file: Path, weights: str, generator: TrainedGenerator) -> LatentModel:
    place = tuned_file(file)
    if not place.is_file():
        raise ValueError(f"{file} is of a tuned generator, and there is no {place}")
    module = copied(generator.module)
    tensors, _ = read_tensors(place)
    with taken_apart(place):
        load_fitting(module, {name: tensors[name] for name in module.state_dict()}, str(place))
    tuned = replace(latent_model(generator), call=module)
    if tuned.weights != weights:
        raise ValueError(f"{place} is another generator than the one that {file} was tuned with")
    return tuned
