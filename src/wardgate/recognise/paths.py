"""The paths a process has met: ids, templates and identifiers, kept as columns so that batches only look up.

Bounded: past `MOST` paths the book is emptied and learns again, which costs time and changes nothing, since
everything in it is a pure function of the path and the key.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.call import OBJECT
from wardgate.core.ids import Ids
from wardgate.core.keys import Key
from wardgate.core.object_ids import ObjectIds
from wardgate.recognise.templates import NEEDS_CUTTING, Template, Templates, erased

MOST = 300_000
_STATIC = (
    r"(?i)\.(?:css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|eot|otf|mp4|webm|mp3|pdf|zip|gz|txt"
    r"|html?|xml)$"
)


class PathBook:
    """What is known of each path, by the place `look_up` answers."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._object_ids = ObjectIds(key)
        self._templates = Templates()
        self._empty()

    def _empty(self) -> None:
        self._places: dict[str, int] = {}
        self._template_places: dict[str, int] = {}
        self.ids: Ids = np.empty(0, np.int64)
        self.template_ids: Ids = np.empty(0, np.int64)
        self.static: npt.NDArray[np.bool_] = np.empty(0, bool)
        self.templates = pa.array([], pa.string())
        """Texts of the templates; `template_of` says which one is a path's."""
        self.template_of: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.objects = pa.array([], pa.list_(OBJECT))
        """The Call's `objects` of each path."""

    def look_up(self, paths: pa.Array) -> npt.NDArray[np.int64]:
        """The place of each (distinct) path, learning those that are new."""
        texts: list[str] = paths.to_pylist()
        if len(self._places) > MOST:
            self._empty()
        found = list(map(self._places.get, texts))
        if None in found:
            self._learn([text for text, place in zip(texts, found, strict=True) if place is None])
            found = list(map(self._places.get, texts))
        return np.array(found, np.int64)

    def _learn(self, paths: list[str]) -> None:
        array = pa.array(paths, pa.string())
        cuts = pc.match_substring_regex(array, NEEDS_CUTTING).to_pylist()
        static = pc.match_substring_regex(array, _STATIC).to_numpy(zero_copy_only=False)
        of = self._templates.of
        templates = [
            of(p) if cut and not file else Template(p)
            for p, cut, file in zip(paths, cuts, static, strict=True)
        ]
        start = len(self._places)
        self._places.update(zip(paths, range(start, start + len(paths)), strict=True))
        self.ids = np.concatenate((self.ids, np.array(self._key.ids64("path", paths), np.int64)))
        self.static = np.concatenate((self.static, static))
        self._add_templates([one.text for one in templates])
        self.objects = pa.concat_arrays([self.objects, self._objects(templates)])

    def _add_templates(self, texts: list[str]) -> None:
        known = self._template_places
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(fresh, range(len(known), len(known) + len(fresh)), strict=True))
        self.templates = pa.concat_arrays([self.templates, pa.array(fresh, pa.string())])
        ids = np.array(self._key.ids64("template", [erased(one) for one in fresh]), np.int64)
        self.template_ids = np.concatenate((self.template_ids, ids))
        places = np.array([known[text] for text in texts], np.int64)
        self.template_of = np.concatenate((self.template_of, places))

    def _objects(self, templates: list[Template]) -> pa.Array:
        """Identifiers of new paths: values become keyed hashes here."""
        names = [name for one in templates for name in one.parameters]
        values = self._object_ids.of(
            pa.array([value for one in templates for value in one.values], pa.string())
        )
        counts = [len(one.values) for one in templates]
        offsets = np.zeros(len(templates) + 1, np.int32)
        np.cumsum(counts, out=offsets[1:])
        items = pa.StructArray.from_arrays(
            [
                pa.array(names, pa.string()),
                pa.array(values, pa.int64()),
                pa.array(["asked"] * len(names), pa.string()),
            ],
            fields=list(OBJECT),
        )
        none = pa.array(np.array(counts, np.int64) == 0)
        return pa.ListArray.from_arrays(pa.array(offsets), items, mask=none)
