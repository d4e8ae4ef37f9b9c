"""Guardrails for code and specifications in CI. (Not built yet.)"""
