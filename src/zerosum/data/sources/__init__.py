"""Data sources: folders, arrays, torch datasets, the Hugging Face hub, packed sets."""
