"""Runs as films: watched in a page, compared, mailed as one file, and started by typing a problem in."""
