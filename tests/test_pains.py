"""The map of pains is whole, and every test that it names is there."""

from pathlib import Path

from tests.pains import PAINS

HERE = Path(__file__).resolve().parent


def test_every_pain_has_a_proof_or_says_that_it_has_none():
    assert list(PAINS) == list(range(1, 56))
    for number, (pain, proof) in PAINS.items():
        assert pain
        if proof.startswith(("can't: ", "open: ")):
            continue
        file, _, name = proof.partition("::")
        text = (HERE / file).read_text()
        assert f"def {name}(" in text, (number, proof)
