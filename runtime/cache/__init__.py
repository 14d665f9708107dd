"""Verdicts that are kept: an unchanged claim is not decided twice."""
