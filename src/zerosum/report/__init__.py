"""The report: one page that shows what a run learned, with nothing to fetch from elsewhere."""

from zerosum._rooms import open_room

open_room(__name__)
