"""The SMT reading: circuits as linear (or polynomial) real arithmetic with Boolean structure."""
