"""The mapping path → operation as it is read: which row of a path counts, and which of an operation.

Rows may repeat, since several processes learn at once. So they are ordered wholly: where versions are equal,
everybody must get the same answer.
"""

NOW = "(max((version::HUGEINT << 63) + operation_id) & ((1::HUGEINT << 63) - 1))::BIGINT"
"""The operation of a path: that of its row with the highest version."""
_LATEST = (
    "(version::HUGEINT << 94) + (path_id::HUGEINT << 31) + (coalesce(confidence, 0.0) * 1000000000)::BIGINT"
)
"""Of what several said of one path at one version, the surest counts."""


def latest(column: str) -> str:
    """What an operation's newest row says in `column`; its id stays when parameters are renamed."""
    return f'max_by("{column}", {_LATEST})'
