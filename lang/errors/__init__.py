"""What a spec can do wrong: one function a mistake, which knows its code and its words.

A file is one century of codes: `E00xx` text and syntax, `E01xx` names, and so on. Every code has a
page in `docs/errors`, with a spec that earns it and the same spec mended.
"""
