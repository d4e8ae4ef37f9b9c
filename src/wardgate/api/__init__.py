"""The HTTP face: pushed calls, OTLP, health."""
