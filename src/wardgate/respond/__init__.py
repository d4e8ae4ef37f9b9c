"""Playbooks, notifications and shared signals. (Not built yet.)"""
