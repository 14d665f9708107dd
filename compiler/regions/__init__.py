"""The linear regions of circuits on boxes, exactly: cells, what cuts them, and the map of each."""
