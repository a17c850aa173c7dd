"""The rights that a policy needs on a cluster: made from it as manifests, and what a cluster grants besides."""
