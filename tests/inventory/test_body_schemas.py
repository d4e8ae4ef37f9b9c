"""Shapes of bodies as specifications have them: what a format cannot tell is not told."""

import pytest

from wardgate.inventory.body_schemas import BodySchema, Stats
from wardgate.inventory.shape_drift import Side, differences
from wardgate.inventory.specifications.form import Shape

PLACES = {
    "": Stats({"object": 3}),
    "user": Stats({"object": 3}),
    "user.age": Stats({"string": 3}, {"plain": 3}, {None: 3}),
    "user.mail": Stats({"string": 2}, {"email": 2}, {None: 2}),
    "tags": Stats({"array": 3}),
    "tags[]": Stats({"string": 5}, {"plain": 5}, {None: 5}),
}
DESCRIBED = Shape(
    types=("object",),
    fields={
        "user": Shape(types=("object",), fields={"age": Shape(types=("integer",)), "mail": Shape()}),
        "tags": Shape(types=("array",), items=Shape(types=("integer",))),
    },
)


def of(media_type: str) -> BodySchema:
    return BodySchema(1, "request", 0, media_type, 3, False, PLACES)


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_of_forms_fields_are_told_but_not_their_types(media_type: str) -> None:
    found = of(media_type).shape()
    assert found.required == ("tags", "user")
    assert found.fields["user"].fields == {"age": Shape(), "mail": Shape(format="email")}
    assert differences(DESCRIBED, found, {}) == []
    json = of("application/json").shape()
    assert differences(DESCRIBED, json, {}) == [(Side.TYPE, ".tags[]"), (Side.TYPE, ".user.age")]


@pytest.mark.parametrize("media_type", ["application/xml", "text/xml", "application/soap+xml"])
def test_of_xml_nothing_is_told_to_specifications_but_its_fields_are_shown(media_type: str) -> None:
    assert of(media_type).shape() == Shape()
    assert of(media_type).json_schema()["required"] == ["tags", "user"]
