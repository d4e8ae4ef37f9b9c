"""A format without code: what a mapping file (TOML) says of a text, JSON or delimited log.

How to write one: docs/how-to/add-a-format.md. The parser is the one of the built-in formats of that kind.
"""

from wardgate.core.errors import WardgateError
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.mapping_file import read_mapping
from wardgate.sources.mapping_records import CsvParser, json_parser
from wardgate.sources.mapping_text import text_layout
from wardgate.sources.text_lines import TextParser


class MappedFormat:
    """A log of your own, described by a mapping file; never found by itself."""

    name = "mapping"
    title = "Mapping file"
    reference = "Wardgate documentation, Add a format with a mapping file"

    def fit(self, sample: bytes) -> Fit | None:
        return None

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        """Raises `mapping-needed`, and what `mapping_file` does."""
        if options.config is None:
            raise WardgateError(
                "mapping-needed",
                "the format 'mapping' needs a mapping file.",
                mend="Give it with --log-config FILE.toml.",
            )
        mapping = read_mapping(options.config)
        timezone = options.timezone or mapping.timezone
        if mapping.kind == "json":
            return json_parser(mapping, timezone)
        if mapping.kind == "csv":
            return CsvParser(mapping, timezone, state)
        return TextParser(text_layout(mapping, str(options.config)), timezone=timezone)
