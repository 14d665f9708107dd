"""What a circuit means, once per target: each reading is one function over the operations."""
