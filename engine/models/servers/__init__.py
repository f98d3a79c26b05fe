"""Talking to OpenAI-compatible servers: their settings, what they can do, requests and replicas."""
