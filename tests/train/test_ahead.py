"""Values come from other processes as they would from the function."""

from functools import partial

import pytest
import torch

from apmdm.train.ahead import Ahead


def test_values_are_those_of_the_function_in_order_and_after_a_jump() -> None:
    function = partial(torch.split, torch.arange(24))
    ahead = Ahead(function, 2)
    for number in (1, 2, 3, 9, 10):
        assert [part.tolist() for part in ahead(number)] == [part.tolist() for part in function(number)]
    with pytest.raises(RuntimeError, match="split"):
        ahead(0)
