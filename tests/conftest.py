"""Tests behave the same on every machine: one thread, no network, the same random examples, no deadlines."""

import os

import torch
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
torch.set_num_threads(1)
settings.load_profile("ci")
