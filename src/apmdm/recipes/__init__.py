"""One function per published result; each returns the complete frozen description of a run."""

from apmdm.recipes.compare_dyck import compare_dyck
from apmdm.recipes.compare_graph import compare_graph
from apmdm.recipes.compare_parity import compare_parity
from apmdm.recipes.compare_sudoku import compare_sudoku
from apmdm.recipes.compare_words import compare_words
from apmdm.recipes.dyck import dyck
from apmdm.recipes.dyck_repair import dyck_repair
from apmdm.recipes.graph import graph
from apmdm.recipes.parity import parity, parity_paper
from apmdm.recipes.sudoku import sudoku

RECIPES = {
    "dyck": dyck,
    "dyck-repair": dyck_repair,
    "graph": graph,
    "parity": parity,
    "parity-paper": parity_paper,
    "sudoku": sudoku,
}
COMPARISONS = {
    "dyck": compare_dyck,
    "graph": compare_graph,
    "parity": compare_parity,
    "sudoku": compare_sudoku,
    "words": compare_words,
}
