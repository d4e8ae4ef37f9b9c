"""The page a person sees."""
