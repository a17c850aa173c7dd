"""The controllers of the embedded cluster: what kube-controller-manager, the scheduler and the kubelets would do.

One file a noun. A controller sees only the store (level-triggered, as the real ones are): it compares what is with what
is wished for and does the next step. ``loop`` runs them; ``control_plane`` puts one cluster's set together.
"""
