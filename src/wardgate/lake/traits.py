"""What is told of routes besides their path (`tables.TRAITS`): kinds, and what follows from them, in SQL.

Whether an operation is a file or a page is a pure function of its paths' endings and of all that they were
answered with. It is decided when the inventory is read, so that the order of arrival does not matter.
"""

from wardgate.lake.engine import ALIAS

ANSWERS = "answers"
"""What a route was answered with: `json`, `data`, `page`, `login` (`recognise.answers`)."""
VERSION = "protocol version"
CLIENT_NAME = "client name"
"""What clients call an operation: GraphQL's operation name."""


def _answered(*kinds: str) -> str:
    texts = ", ".join(f"'{one}'" for one in kinds)
    return f"coalesce(bool_or(trait = '{ANSWERS}' AND \"value\" IN ({texts})), false)"


def told(mapping: str) -> str:
    """What is told of each operation besides (`tables.TRAITS`), over all its paths.

    `mapping` is a relation of `path_id` and `operation_id` as they are now.
    """
    return f"""
    SELECT operation_id, {_answered("json")} AS json, {_answered("json", "data")} AS data,
           {_answered("page")} AS page, {_answered("login")} AS login,
           CASE WHEN count(DISTINCT "value") FILTER (trait = '{CLIENT_NAME}') = 1
                THEN min("value") FILTER (trait = '{CLIENT_NAME}') END AS client_name,
           list_sort(list(DISTINCT "value") FILTER (trait = '{VERSION}')) AS protocol_versions
    FROM {ALIAS}.main.traits JOIN {mapping} USING (path_id) GROUP BY operation_id"""


_ENDING = r"""lower(regexp_extract("template", '\.([A-Za-z0-9]{1,8})$', 1))"""
STATIC_REASON = f"""CASE
        WHEN basis IN ('described', 'pinned') THEN NULL
        WHEN is_file AND (NOT coalesce(json, false) OR {_ENDING} IN ('map', 'webmanifest', 'js', 'mjs'))
            THEN 'ends in .' || {_ENDING}
        WHEN data THEN NULL
        WHEN page THEN 'answered with HTML'
        WHEN login THEN 'redirects to a login page' END"""
"""Why an operation is a file or a page; NULL: it is none. What was answered with JSON is a file only where
its ending says that it is a program, or belongs to one. What a specification describes, or people pinned, is
an API whatever it is answered with."""
