"""Cross-site scripting: markup and script where a value should be."""

from wardgate.match.signals.shape import ContentRule

CROSS_SITE_SCRIPTING = ContentRule(
    name="cross-site-scripting",
    title="Cross-site scripting",
    reference="CWE-79; OWASP CRS 941",
    patterns=(
        r"<\s*/?\s*script\b",
        r"<[a-z!/?][^>]{0,300}[\s/'\"]on[a-z]{3,24}\s*=",
        r"['\"]\s*[\s/]on(?:error|load|click|mouse[a-z]+|focus|blur|key[a-z]+|toggle|animation[a-z]+|pointer[a-z]+|begin|start)\s*=",
        r"(?:^|[\s'\"=(:>])(?:j\s*a\s*v\s*a|v\s*b|live)\s*s\s*c\s*r\s*i\s*p\s*t\s*:",
        r"<\s*(?:iframe|embed|object|applet|svg|math|frameset|isindex|xss|style|base|meta|link|form|marquee|bgsound|layer|img\s[^>]{0,100}src\s*=|video|audio|details|template|image|body|input|textarea|keygen)\b[^>]{0,300}(?:=|/|>)",
        r"\b(?:document|window|self|top|parent|this)\s*(?:\.|\[\s*['\"])\s*(?:cookie|write|location|domain|body|alert|eval|name|open|onerror)\b",
        r"\b(?:alert|confirm|prompt|eval|settimeout|setinterval|function|fromcharcode|atob|import)\s*(?:\(|`)\s*(?:['\"`\d(/]|document|window|string|this|location|1\b|\))",
        r"\bdata\s*:\s*text/html",
        r"\bexpression\s*\(|-moz-binding\s*:|\bbehaviou?r\s*:\s*url|@import\s+['\"]?(?:url|http|//|javascript)",
        r"\bsrcdoc\s*=|\bxlink:href\s*=|<!\[cdata\[|<\?xml-stylesheet",
        r"&(?:#(?:x?0{0,6}[36][a-f0-9]{0,2})|lt|colon|tab|newline);?\s*(?:script|/|img|svg|iframe)",
        r"\\(?:u00|x)3c\s*(?:script|img|svg|/)",
    ),
    needs=r"[<>\"'(`\\]|(?i)javascript|vbscript|data:|&#|&lt|&colon|document|window|@import|behavior|binding",
    found=(
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "javascript:alert(document.cookie)",
        "<svg/onload=alert`1`>",
        "' onmouseover='x()",
    ),
    passed=(
        "a < b and c > d",
        "I <3 you",
        "<none>",
        "price<100",
        "function of position",
        "the javascript guide",
        "on=true&off=1",
        "document.pdf",
    ),
)
