"""Calls and rollups at rest: DuckLake, its tables, commits, compaction, retention and guarded queries."""
