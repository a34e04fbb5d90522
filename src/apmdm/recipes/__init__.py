"""One function per published result; each returns the complete frozen description of a run."""

from apmdm.recipes.parity import parity
from apmdm.recipes.sudoku import sudoku

RECIPES = {"parity": parity, "sudoku": sudoku}
