"""The only door to Kubernetes: transport, reads, watches and writes, each with an identity as argument.

`clusters.connect` opens it; `credentials.Kubeconfig` and `credentials.InCluster` say how a cluster is reached;
`kubeconfig.contexts` lists what a kubeconfig offers.
"""
