"""The calls' recordings: how they are had, and where they are kept."""
