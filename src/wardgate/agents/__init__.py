"""MCP and A2A: discovery, scanning, pinning, governing. (Not built yet.)"""
