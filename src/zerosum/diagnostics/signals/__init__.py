"""Signals of a run: what a watcher and check-ups gather while it trains."""
