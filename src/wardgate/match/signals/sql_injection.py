"""SQL injection: statements and tricks that turn a value into part of a query."""

from wardgate.match.signals.shape import ContentRule

_GAP = r"(?:[\s+(]|/\*.{0,40}?\*/)"
SQL_INJECTION = ContentRule(
    name="sql-injection",
    title="SQL injection",
    reference="CWE-89; OWASP CRS 942",
    patterns=(
        rf"\bunion\b{_GAP}+(?:all|distinct)?{_GAP}*select\b",
        r"['\"`)]\s*(?:or|and|xor|\|\||&&)\s*(?:not\s*)?[('\"`]*\s*[\w.@]{1,40}\s*['\"`)]*\s*(?:=|<|>|!=|\blike\b|\bin\b|\bis\b|\bbetween\b|\brlike\b|\bregexp\b)",
        r"['\"`)\d]\s*(?:or|and|xor|\|\||&&)\s*\(?\s*(?:'[^']{0,20}'\s*=\s*'|\"[^\"]{0,20}\"\s*=\s*\"|\d{1,9}\s*[=<>]\s*\d|true\b|exists\s*\(|\(?select\b)",
        r"\b(?:sleep|benchmark|pg_sleep|extractvalue|updatexml|load_file|xp_cmdshell|xp_dirtree|sp_executesql|dbms_[a-z]+\.[a-z_]+|utl_(?:http|inaddr)\.[a-z_]+|randomblob|group_concat|char_length|ascii|substring?|hex|unhex|concat(?:_ws)?)\s*\(\s*(?:\(?\s*select\b|@@|0x[0-9a-f]{2}|\d{1,9}\s*[,)*]|'|\"|char\()",
        r"\bwaitfor\s+delay\s+['\"]",
        r"[;'\")]\s*(?:(?:drop|alter|create|truncate)\s+(?:or\s+replace\s+)?(?:temp\w*\s+)?(?:table|database|schema|user|view|index|procedure|function|login|trigger|role)\b|insert\s+into\s|delete\s+from\s|update\s+[\w.`\[\]]+\s+set\s|exec(?:ute)?\s*(?:\(|@|'|master|xp_|sp_|immediate)|declare\s+@|shutdown\b|merge\s+into\s)",
        r"\b(?:information_schema|pg_catalog|sysobjects|syscolumns|sqlite_master|mysql\.user|all_tables|msysobjects)\b",
        r"@@(?:version|datadir|hostname|global|basedir)",
        r"['\"`)]\s*(?:--(?:\s|-|\+|$)|#\s*$|/\*)",
        r"\bselect\b\s*(?:\*|\d|null\b|@@|\(|distinct\b|top\s+\d|'|[\w`.\[\]]+\s*(?:,|\()|(?:user|username|password|pass|version|load_file|table_name|column_name|count|database|schema_name|sleep|case|if)\b)[^;&]{0,200}(?:\bfrom\b|\bwhere\b|--|#|\))",
        r"\border\s+by\s+\d{1,3}\s*(?:--|#|$)|\bhaving\s+\d+\s*[=<>]\s*\d",
        r"\b(?:procedure\s+analyse\s*\(|into\s+(?:out|dump)file\s*['\"])",
        r"/\*!\d{0,6}\s*(?:union|select|and|or)\b",
    ),
    needs=r"['\"`;()#@*]|--|\b(?i:select|union|waitfor|having|order by)\b|information_schema",
    found=(
        "1' OR '1'='1",
        "1 UNION ALL SELECT username, password FROM users--",
        "1; DROP TABLE users",
        "id=1 AND sleep(5)",
        "admin'--",
        "1 and 1=1 order by 3--",
        "-1'/**/union/**/select/**/1,2",
    ),
    passed=(
        "O'Brien",
        "select a plan",
        "rock 'n' roll and more",
        "Union Square, select stores",
        "it's -- well -- fine",
        "order by date",
        "sort=name&limit=10",
        "drop shipping; create value",
        "fields=id,name&filter=(status eq 'open') and (age gt 5)",
    ),
)
