"""One file a command of `circ`: what it does once its words are read. None prints by itself."""
