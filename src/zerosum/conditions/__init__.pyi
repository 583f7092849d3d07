# Written by `make stubs`; do not edit.
"""Kinds of conditions: what the condition c of a sample is, from the data to the report."""

from zerosum.conditions import arrays as arrays
from zerosum.conditions import components as components
from zerosum.conditions import condition as condition
from zerosum.conditions import labels as labels
from zerosum.conditions import schema as schema
from zerosum.conditions.arrays import array_file as array_file
from zerosum.conditions.arrays import is_array_file as is_array_file
from zerosum.conditions.arrays import numbers as numbers
from zerosum.conditions.components import Attributes as Attributes
from zerosum.conditions.components import RowEmbedding as RowEmbedding
from zerosum.conditions.components import Vector as Vector
from zerosum.conditions.condition import Condition as Condition
from zerosum.conditions.condition import ConditionRow as ConditionRow
from zerosum.conditions.condition import Overview as Overview
from zerosum.conditions.condition import Prediction as Prediction
from zerosum.conditions.condition import first_of as first_of
from zerosum.conditions.condition import shortened as shortened
from zerosum.conditions.labels import Labels as Labels
from zerosum.conditions.schema import ConditionSchema as ConditionSchema
