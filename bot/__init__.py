"""Steersman: a Slack bot that steers Kubernetes as the person who asks."""
