"""Rollups, baselines, detectors and incidents. (Not built yet.)"""
