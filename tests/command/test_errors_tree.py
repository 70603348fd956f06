import inspect

from command import errors


def test_the_tree_at_the_top_names_every_error() -> None:
    documented = errors.__doc__ or ""
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.YipingError):
            assert name in documented


def test_codes_are_words_and_each_error_has_its_own() -> None:
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.YipingError)
    ]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert all(code.replace("_", "").isalpha() and code.islower() for code in codes)


def test_extras_are_what_the_wire_promises() -> None:
    assert errors.NotFound("incident", "i-1").extras == {}
    assert errors.StaleVersion(1, 2).extras == {"version": 2}
    assert errors.AlreadyAssigned({"assignment_id": "a"}).extras == {"winner": {"assignment_id": "a"}}
    assert errors.Malformed("lon", "x").extras == {"field": "lon"}
