# Written by `make stubs`; do not edit.
"""Use trained generators on files: enlarge, translate, colour and fill in images, continue clips."""

from zerosum.applications import apply as apply
from zerosum.applications.apply import ApplyOptions as ApplyOptions
from zerosum.applications.apply import FileResult as FileResult
from zerosum.applications.apply import apply_files as apply_files
