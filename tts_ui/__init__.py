"""Reasoning Tree Explorer: the Gradio app. It asks the engine and the store, and draws."""
