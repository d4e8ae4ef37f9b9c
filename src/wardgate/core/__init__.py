"""The Call schema, identifiers, fingerprints, time and errors with stable codes. Imports nothing of ours."""
