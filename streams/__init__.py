"""Gateways by which input comes in, and the agents that make findings and alerts of it."""
