"""Tests behave the same on every machine: one thread, no network, the same random examples, no deadlines.

Programs that are started in the background ignore Ctrl-C, and so would all that they start: here nothing is ignored.
"""

import os
import signal

import torch
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
torch.set_num_threads(1)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.load_profile("ci")
