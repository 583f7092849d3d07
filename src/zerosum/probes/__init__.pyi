# Written by `make stubs`; do not edit.
"""Probes: synthetic data that keep a rule, and the detectors of violations."""

from zerosum.probes import connected as connected
from zerosum.probes import counting as counting
from zerosum.probes import drawing as drawing
from zerosum.probes import fitting as fitting
from zerosum.probes import rules as rules
from zerosum.probes import scene_rules as scene_rules
from zerosum.probes import scenes as scenes
from zerosum.probes import solids as solids
from zerosum.probes import strings as strings
from zerosum.probes import structure as structure
from zerosum.probes.counting import Counting as Counting
from zerosum.probes.rules import RuleKept as RuleKept
from zerosum.probes.rules import Verdict as Verdict
from zerosum.probes.rules import exactly as exactly
from zerosum.probes.rules import mirrored as mirrored
from zerosum.probes.rules import object_counts as object_counts
from zerosum.probes.rules import one_of_each as one_of_each
from zerosum.probes.rules import one_view as one_view
from zerosum.probes.scene_rules import SceneAnswers as SceneAnswers
from zerosum.probes.scene_rules import SceneObject as SceneObject
from zerosum.probes.scene_rules import answers as answers
from zerosum.probes.scene_rules import follows as follows
from zerosum.probes.scene_rules import scene_objects as scene_objects
from zerosum.probes.scenes import Scenes as Scenes
from zerosum.probes.solids import Cuboids as Cuboids
from zerosum.probes.strings import StringScores as StringScores
from zerosum.probes.strings import string_scores as string_scores
from zerosum.probes.structure import Faces as Faces
from zerosum.probes.structure import Mirrored as Mirrored
