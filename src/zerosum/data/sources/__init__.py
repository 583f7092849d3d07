"""Where data come from: folders, arrays, torch datasets, the hub, packed sets."""
