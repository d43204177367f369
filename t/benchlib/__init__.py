"""What t/bench is made of: the machine (proc, stack), the words (report), and a module for each scenario.

A scenario has run(options, base), which measures in a stack of its own below the directory base and returns a dict for the
JSON file, and report(found, options), which prints it; goals go through report.verdict(), which keeps them for the end.
"""
