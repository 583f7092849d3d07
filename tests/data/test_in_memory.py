import pytest

from zerosum.data.sources.in_memory import InMemory


def test_data_given_in_python_must_be_given_again():
    with pytest.raises(ValueError, match=r"this run's data \(array\) was given in Python: pass it again, as train\("):
        InMemory("array").open()
