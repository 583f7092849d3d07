"""Killed runs, malformed files, equality of runs."""
