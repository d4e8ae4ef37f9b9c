"""Services and operations with their evidence, read from the rollups."""
