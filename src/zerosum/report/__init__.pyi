# Written by `make stubs`; do not edit.
"""The report: one page that shows what a run learned, with nothing to fetch from elsewhere."""

from zerosum.report import write as write
from zerosum.report.write import write_report as write_report
