"""The preflight of a labeling job: what would go wrong, found before it starts.

A module for each subject, a function for each check; every check yields findings. What cannot be
looked at is a finding too. `checks` runs them all, `findings` shows what they found.
"""
