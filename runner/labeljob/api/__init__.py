"""The Python API: aggregators over data frames, and tables of the quality of a job's answers.

Users import from `labeljob` itself, which loads a name of this folder when it is first asked for.
"""
