"""The package behind scripts/lab.

cli/          exit statuses, arguments, the table of commands, programs that are started
store/        the results store, and how a run becomes its lines
stats/        intervals of medians, change points
measure/      pairs, comparisons, targets, sweeps, instructions, soaks
regressions/  what changed between nights, and which commit did it
nightly/      one night, step by step
report/       one run on one page, and its pictures
dashboard/    all nights on one page
docs/         the tables in the documents that are generated
quality/      style, clang-tidy, compile times, mutants, ctest's reports
simulation/   a simulated year of nights
"""
