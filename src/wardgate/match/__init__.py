"""Many patterns over text and their validators, shared by recognition, detection and the gate."""
