"""The tree of faults is the one that its docstring draws."""

import inspect
import re

from aimon_local import errors


def test_the_drawn_tree_is_the_real_one():
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__)) | {"AimonError"}
    real = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert drawn == real


def test_each_carries_a_hint():
    assert errors.StoreFull("the disk is full", "free some space").hint == "free some space"
    assert issubclass(errors.StoreFull, errors.StoreError)
