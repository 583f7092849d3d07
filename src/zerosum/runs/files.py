"""The names of the files in a run folder."""

import os

RECIPE = "recipe.txt"  # the recipe as text, with which every run begins
LOG = "log.jsonl"  # a JSON object a tick
SAMPLES = "samples"  # a folder of images of samples, each named by the images seen until then
CHECKPOINTS = "checkpoints"  # a folder of checkpoints, each a folder named by the images seen until then
GENERATOR = "generator.safetensors"  # the trained generator, the last thing that a run writes
BEST = "best.safetensors"  # the generator as it was at the best of the run's evaluations
SCORES = "scores.json"  # scores at the end
EVALUATION = "evaluation.json"  # the last evaluation, with its protocol
CLASSIFIER = "classifier.safetensors"  # what predicted the classes of samples
REPORT = "report.html"
COMMAND = "command.txt"  # the command of the last start
VERSIONS = "versions.json"  # and what it ran on
LOCK = ".lock"  # held by the process that writes to the folder

AnyPath = str | os.PathLike[str]
MOST_TEXT = 1 << 20  # bytes of a recipe's text, and of a command
