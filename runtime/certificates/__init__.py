"""Writing certificates: proofs as data, in the terms in which they are audited."""
