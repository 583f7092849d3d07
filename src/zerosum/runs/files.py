"""The names of the files in a run folder."""

from zerosum import _outputs

RECIPE = _outputs.RECIPE  # the recipe as text, written first
LOG = "log.jsonl"  # a JSON object per tick
SAMPLES = "samples"  # a folder of sample images, each named by the number of images seen
FRAMES = "frames"  # a folder of frames of the game of points, each named by the number of images seen
CHECKPOINTS = "checkpoints"  # a folder of checkpoints, each a folder named by the number of images seen
GENERATOR = "generator.safetensors"  # the trained generator, written last
BEST = "best.safetensors"  # the generator with the best evaluation score
SCORES = "scores.json"  # scores at the end
EVALUATION = "evaluation.json"  # the last evaluation, with its protocol
CLASSIFIER = "classifier.safetensors"  # the classifier of conditional accuracy
UNREAD = "unread.json"  # the broken files that the run never read whole, if there are any
REPORT = "report.html"
COMMAND = "command.txt"  # the command of the last start
VERSIONS = "versions.json"  # its versions and hardware
LOCK = ".lock"  # locked by the process that writes to the folder
FOLDERS = (SAMPLES, FRAMES, CHECKPOINTS)
NAMES = frozenset((*FOLDERS, RECIPE, LOG, SCORES, EVALUATION, UNREAD, REPORT, COMMAND, VERSIONS, LOCK))

MOST_TEXT = 1 << 20  # bytes of a recipe's text, and of a command
