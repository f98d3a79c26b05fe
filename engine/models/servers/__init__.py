"""Talking to OpenAI-compatible servers: what the models file says of them, what they can do, requests and replicas."""
