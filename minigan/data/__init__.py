"""Data sets as host arrays."""
