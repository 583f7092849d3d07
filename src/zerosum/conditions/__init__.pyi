# Written by `make stubs`; do not edit.
"""Kinds of conditions: what the condition c of a sample is, from the data to the report."""

from zerosum.conditions import arrays as arrays
from zerosum.conditions import components as components
from zerosum.conditions import condition as condition
from zerosum.conditions import image as image
from zerosum.conditions import labels as labels
from zerosum.conditions import schema as schema
from zerosum.conditions import text as text
from zerosum.conditions.components import Attributes as Attributes
from zerosum.conditions.components import Vector as Vector
from zerosum.conditions.condition import Condition as Condition
from zerosum.conditions.condition import ConditionRow as ConditionRow
from zerosum.conditions.condition import Overview as Overview
from zerosum.conditions.condition import Prediction as Prediction
from zerosum.conditions.image import Image as Image
from zerosum.conditions.labels import Labels as Labels
from zerosum.conditions.schema import ConditionSchema as ConditionSchema
from zerosum.conditions.text import Text as Text
