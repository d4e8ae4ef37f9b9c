"""One module per source; each turns bytes into batches of observed calls."""
