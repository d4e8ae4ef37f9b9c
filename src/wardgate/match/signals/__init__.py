"""Content rules: what to notice in what calls carry, one file for each family."""
