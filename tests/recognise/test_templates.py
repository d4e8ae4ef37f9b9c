"""Templates, first form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.recognise.templates import Templates, template_of


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/", "/"),
        ("/users", "/users"),
        ("/users/42", "/users/{userId}"),
        ("/users/42/orders/7", "/users/{userId}/orders/{orderId}"),
        ("/v1/categories/9", "/v1/categories/{categoryId}"),
        ("/v2/users/me", "/v2/users/me"),
        ("/42", "/{id}"),
        ("/users/1/2", "/users/{userId}/{userId2}"),
        ("/u/550e8400-e29b-41d4-a716-446655440000", "/u/{uId}"),
        ("/blobs/deadbeef01", "/blobs/{blobId}"),
        ("/sha256sum/x", "/sha256sum/x"),
        ("/reset/~opaque20.0123456789ab", "/reset/{resetId}"),
        ("/user-profiles/3", "/user-profiles/{userProfileId}"),
        ("/a//b/", "/a//b/"),
        ("/addresses/5", "/addresses/{addressId}"),
    ],
)
def test_template(path: str, template: str) -> None:
    assert template_of(path).text == template
    assert Templates().of(path).text == template


_segments = st.sampled_from(
    ["users", "7", "00", "0", "v1", "deadbeef01", "x0", "~t1.ab", "550e8400-e29b-41d4-a716-446655440000", ""]
)


@given(st.lists(st.lists(_segments, max_size=6).map(lambda parts: "/" + "/".join(parts)), max_size=12))
def test_remembering_shapes_changes_nothing(paths: list[str]) -> None:
    templates = Templates()
    for path in paths + paths:
        assert templates.of(path) == template_of(path)
