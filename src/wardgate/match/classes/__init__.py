"""Classes of data: what each looks like, and under which names. One file for each class or family."""
