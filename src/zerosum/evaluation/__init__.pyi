# Written by `make stubs`; do not edit.
"""Scores of one side against another: what was compared, how, and how sure it is."""

from zerosum.evaluation import cache as cache
from zerosum.evaluation import comparison as comparison
from zerosum.evaluation import gathering as gathering
from zerosum.evaluation import manner as manner
from zerosum.evaluation import measures as measures
from zerosum.evaluation import noticing as noticing
from zerosum.evaluation import parts as parts
from zerosum.evaluation import sanity_report as sanity_report
from zerosum.evaluation import sanity_sides as sanity_sides
from zerosum.evaluation import scores as scores
from zerosum.evaluation import scoring as scoring
from zerosum.evaluation import sides as sides
from zerosum.evaluation import spoiling as spoiling
from zerosum.evaluation import stored as stored
from zerosum.evaluation.comparison import Comparison as Comparison
from zerosum.evaluation.comparison import compare as compare
from zerosum.evaluation.manner import Manner as Manner
from zerosum.evaluation.measures import Measure as Measure
from zerosum.evaluation.measures import Score as Score
from zerosum.evaluation.measures import Sides as Sides
from zerosum.evaluation.measures import chosen as chosen
from zerosum.evaluation.noticing import Notice as Notice
from zerosum.evaluation.noticing import Sanity as Sanity
from zerosum.evaluation.noticing import sanity as sanity
from zerosum.evaluation.sanity_report import sanity_table as sanity_table
from zerosum.evaluation.sanity_report import write_sanity as write_sanity
from zerosum.evaluation.scores import Scores as Scores
from zerosum.evaluation.scores import read_scores as read_scores
from zerosum.evaluation.scores import write_scores as write_scores
from zerosum.evaluation.scoring import Evaluator as Evaluator
from zerosum.evaluation.scoring import evaluate as evaluate
from zerosum.evaluation.stored import StoredMoments as StoredMoments
from zerosum.evaluation.stored import load_moments as load_moments
from zerosum.evaluation.stored import save_moments as save_moments
