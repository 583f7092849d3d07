"""Synthetic data with known distributions."""
