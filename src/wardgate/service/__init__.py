"""What the outside may ask of Wardgate, once; the CLI, the API and the console are its faces."""
