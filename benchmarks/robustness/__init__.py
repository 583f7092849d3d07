"""Kills, malformed files, equal runs."""
