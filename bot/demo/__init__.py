"""The embedded cluster: a small API server with controllers, in-process, over HTTPS."""
