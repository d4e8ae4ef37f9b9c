"""Attacking our own APIs, with proof. (Not built yet.)"""
