"""E-mail addresses, anywhere in a text."""

from wardgate.match.classes.shape import DataClass, Pattern

_NOT_TOP = frozenset(
    "png jpg jpeg gif svg webp ico css js ts jsx tsx json map html"
    " htm md py rb go rs txt xml yml yaml pdf zip".split()
)


def is_mailbox(value: str) -> bool:
    """Not `icon@2x.png`, `git@host` of a repository, or a package with its version."""
    local, _, domain = value.rpartition("@")
    labels = domain.split(".")
    if len(local) > 64 or len(domain) > 253 or max(map(len, labels)) > 63:
        return False
    if labels[-1].lower() in _NOT_TOP or labels[0].isdigit() or ".." in value or local.startswith("."):
        return False
    if not (labels[-1].islower() or labels[-1].isupper() or labels[-1].istitle()):
        return False  # `photo@odata.mediaEditLink`
    return not (local == "git" or all(c in "0123456789" for c in domain.replace(".", "")))


EMAIL = DataClass(
    name="email",
    title="E-mail address",
    reference="RFC 5321, 4.1.2; RFC 6531 (international)",
    patterns=(
        Pattern(
            # The user part of a URL is taken first, so that `https://user:word@host.example` is none.
            r"://[^\s/@]*@[^\s/]*|(?:^|[^\w.+%-])([\pL\pN_][\pL\pN._%+'-]*@(?:[\pL\pN][\pL\pN-]*\.)+\pL\pL+)\b",
            alone=0.95,
            named=0.98,
            within=True,
            valid=is_mailbox,
        ),
    ),
    fields=(r"e ?mails?( address(es)?)?", "mail", "reply to", "mailto"),
    found=(
        ("", "ann.example@example.org"),
        ("contact", "Ann Example <ann+news@mail.example.co.uk>"),
        ("message", "write to ann@example.org, or to bob@example.org"),
        ("email", "jürgen@bücher.example"),
    ),
    passed=(
        ("image", "icon@2x.png"),
        ("ssh_url", "git@github.com:example/repository.git"),
        ("url", "https://ann:word@files.example.org/a"),
        ("package", "left-pad@1.3.0"),
        ("handle", "@ann"),
        ("annotation", "photo@odata.mediaEditLink"),
    ),
)
