"""Proofs about boxes of real numbers, part by part of the box."""
