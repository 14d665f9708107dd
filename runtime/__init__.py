"""What touches tensors, files and people: checkpoints, provers, patches, the command line."""
