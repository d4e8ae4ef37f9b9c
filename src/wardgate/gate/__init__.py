"""Decisions, the authorizer and the gateways. (Not built yet.)"""
