"""Attack rehearsals and their scores. (Not built yet.)"""
