"""Path traversal and file inclusion: out of the folder, or to files that nobody asks an API for."""

from wardgate.match.signals.shape import ContentRule

PATH_TRAVERSAL = ContentRule(
    name="path-traversal",
    title="Path traversal or file inclusion",
    reference="CWE-22, CWE-98; OWASP CRS 930 and 931",
    patterns=(
        r"(?:^|[/\\=;:&?,])(?:\.{2,3}|\.%00\.|\.\.;|\.\x00\.)[/\\]",
        r"(?:%(?:25)?c0%(?:25)?(?:ae|af|2f)|%(?:25)?e0%(?:25)?80%(?:25)?a[ef]|%u221[56]|%u2215|0x2e0x2e0x2f|\.\.0x2f|\.\.%5c)",
        r"(?:^|[/\\=:])(?:etc[/\\](?:passwd|shadow|hosts|group|issue|crontab|sudoers|fstab|ssh|apache2?|nginx|mysql|my\.cnf|resolv\.conf)|proc[/\\](?:self|version|cpuinfo|\d+)|var[/\\]log[/\\]|root[/\\]\.\w+|windows[/\\](?:win\.ini|system32|system\.ini)|winnt[/\\]|boot\.ini|web-inf[/\\]|meta-inf[/\\])",
        r"(?:^|[/\\=])\.(?:git[/\\]|svn[/\\]|hg[/\\]|env(?:\.|$)|htpasswd|htaccess|ssh[/\\]|aws[/\\]|bash_history|bashrc|docker[/\\]|npmrc|ds_store|pgpass|netrc|kube[/\\])",
        r"\b(?:file|php|phar|zip|expect|glob|ogg|ssh2|rar|zlib|compress\.zlib|jar|netdoc|gopher|dict)://+[^\s]",
        r"(?:^|[/\\])(?:wp-config\.php|id_rsa|id_dsa|authorized_keys|phpinfo\.php|config\.inc\.php|web\.config|database\.yml|\.?env\.(?:local|prod|production|backup)|localconfig\.xml)\b",
        r"\bdata\s*:\s*(?:text/plain|application/[\w.-]+)?\s*;?\s*base64,\s*PD9",
    ),
    needs=r"\.\.|//|%|\\|(?i:/etc|/proc|/var/log|/root|windows|winnt|boot\.ini|-inf|/\.|=\.|wp-config|id_[rd]sa|authorized_keys|phpinfo|config|database\.yml|0x2e|etc/|\.env)",
    found=(
        "/files/../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "file=php://filter/convert.base64-encode",
        "/.git/config",
        "/%2e%2e/%2e%2e/boot.ini",
        "C:\\windows\\win.ini",
        "/.env",
    ),
    passed=(
        "/docs/v1..v2",
        "a...b",
        "/releases/1.2..1.3",
        "/etc-hosts/list",
        "https://example.com/a",
        "/.well-known/openid-configuration",
        "environment.json",
        "/settings/config",
    ),
)
