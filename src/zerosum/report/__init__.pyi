# Written by `make stubs`; do not edit.
"""The report of a run: one self-contained HTML page."""

from zerosum.report import write as write
from zerosum.report.write import write_report as write_report
