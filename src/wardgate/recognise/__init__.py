"""From what was observed to what it means: times, addresses, templates, credentials, callers."""
