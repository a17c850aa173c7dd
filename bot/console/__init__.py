"""The terminal chat: the demo, the operator's own chat and the front door of the tests."""
