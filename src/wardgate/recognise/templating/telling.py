"""The learner's reasons in words that a person understands.

Each measure of `evidence` has a phrase for what it found; one without a phrase is told by its name.
"""

import math

from wardgate.recognise.templating.reasons import COMPANY, Reason

_LOOKS = "looks: "
_FLAGS = {
    "plural": ("it is a plural", "it is no plural"),
    "parent is a parameter": ("it stands behind a parameter", "it stands behind a constant"),
    "parent plural": ("the word before it is a plural", "the word before it is no plural"),
    "parent's word is in it": ("it holds the word before it", "it does not hold the word before it"),
    "named as testers do": ("it is named as testers name things", "it is not named as testers name things"),
    "grandparent is a parameter": ("a parameter stands two before it", "no parameter stands two before it"),
    "ends here": ("calls end at it", "no call ends at it"),
    "has plain values below": ("plain values follow it", "no plain value follows it"),
    "read": ("it is read (GET)", "it is not read (GET)"),
    "created": ("something is posted to it", "nothing is posted to it"),
    "changed or deleted": ("it is changed or deleted", "it is not changed or deleted"),
    "methods known": ("its methods are known", "its methods are not known"),
    "parent ends": ("calls end at what is before it", "no call ends at what is before it"),
    "parent created": ("something is posted to what is before it", "nothing is posted to what is before it"),
    "bodies known": ("bodies were seen", "no bodies were seen"),
    "in bodies as identifier": ("bodies hold it as an identifier", "no body holds it as an identifier"),
    "in bodies as value": ("bodies hold it as a value", "no body holds it as a value"),
    "in bodies as key": ("bodies hold it as the name of a field", "no body has a field of that name"),
}
_SHARES = {
    "share of digits": "{} of it is digits",
    "share of its looks": "{} of its siblings look like it",
    "share of siblings known as constants": "{} of its siblings are words that other APIs have as constants",
    "siblings that share a child": "{} of its siblings have the same below them",
    "children shared with siblings": "{} of what is below it is below its siblings too",
    "deeper words shared with siblings": "{} of what is further below it is below its siblings too",
    "siblings that share a deeper word": "{} of its siblings have the same further below them",
    "siblings that have plain values below": "{} of its siblings are followed by plain values",
    "subtree as a sibling's": "{} of its siblings have exactly what it has below",
    "same methods as siblings": "{} of its siblings are called with the same methods",
    "share of merged parents that have it": "{} of the values before it are followed by it",
    "body shape shared with siblings": "{} of its siblings answer with bodies like its own",
    "body shape elsewhere": "{} of all answers have a body like its own",
    "share of siblings with plain looks": "{} of its siblings are plainly values",
    "distinct words among siblings' parts": "{} of the words among its siblings are different ones",
    "siblings' guess": "its siblings look like values by {} at first sight",
    "alike siblings' guess": "siblings that look like it are values by {} at first sight",
    "highest of siblings": "the likeliest value among its siblings is one by {}",
    "lowest of siblings": "the least likely value among its siblings is one by {}",
    "first guess": "by itself and its place it looks like a value by {}",
    "same text elsewhere, guess": "the same text elsewhere in the service looks like a value by {}",
    "same words elsewhere, guess": "its words elsewhere in the service look like values by {}",
    "same words elsewhere, highest": "what holds its words elsewhere looks like a value by {} at most",
    "siblings' words elsewhere, guess": "the words of its siblings look like values elsewhere by {}",
    "siblings with one of its words, guess": "siblings with one of its words look like values by {}",
    "siblings with the same below, guess": "siblings with the same below them look like values by {}",
    "share of the service below it": "{} of the service is below it",
    "siblings known beside others, share": "{} of its siblings stand beside one another in other APIs",
    "siblings known below the parent, share": "{} of its siblings follow the word before it in other APIs",
    "siblings with nothing below, share": "nothing follows {} of its siblings",
    "siblings that stand elsewhere, share": "{} of its siblings stand in other places of the service too",
}
_COUNTS = {
    "siblings": "{} others stand beside it",
    "siblings of its looks": "{} of them look like it",
    "children": "{} different ones follow it",
    "children of its own": "{} follow it and none of its siblings",
    "deeper words of its own": "{} are further below it and below none of its siblings",
    "siblings that share a child, number": "{} siblings have the same below them",
    "siblings that share a deeper word, number": "{} siblings have the same further below them",
    "known as a constant": "{} other APIs have it as a constant",
    "known parts, mean": "{} other APIs use its words, on average",
    "known parts, least": "{} other APIs use its rarest word",
    "parent known": "{} other APIs have the word before it",
    "parent and it known together": "{} other APIs have the word before it and it together",
    "children known as constants": "{} other APIs have what follows it as constants",
    "merged parents that have it": "it follows {} of the values before it",
    "merged parents": "{} other values stand before it",
    "stands elsewhere": "it stands in {} other places of the service",
    "ends elsewhere": "it ends {} other paths of the service",
    "its rarest word in the service": "its rarest word stands in {} other places of the service",
    "its most usual word in the service": "its most usual word stands in {} other places of the service",
    "siblings with one of its words": "{} siblings hold one of its words",
    "siblings of its stem": "{} siblings are the same word, inflected",
    "siblings that it is known beside": "{} siblings stand beside it in other APIs",
    "same words elsewhere, values": "{} values elsewhere in the service hold one of its words",
    "same words elsewhere, constants": "{} constants elsewhere in the service hold one of its words",
    "its words in data, mean": "{} other APIs have its words in examples of data, on average",
    "made of known words": "it is made of words of which {} other APIs use the rarest",
    "siblings guessed values": "{} of its siblings look like values at first sight",
}
"""Measures that are logarithms of counts."""
_ODDS = {
    "known to lead to a parameter": "in other APIs it is followed by {}",
    "parent leads to a parameter": "in other APIs the word before it is followed by {}",
    "known behind a parameter": "in other APIs it stands behind {}",
    "children known behind a parameter": "in other APIs what follows it stands behind {}",
}
_BELOW = "what is below it, by what is below a sibling"
_LEANINGS = {
    "its words in data rather than names, mean": "its words stand in other APIs' {}",
    "its words in data rather than names, most": "one of its words stands in other APIs' {}",
    "siblings' words in data rather than names": "its siblings' words stand in other APIs' {}",
}
_PLAIN = {
    "length": "it is {:.0f} characters long",
    "words in it": "it is made of {:.0f} words",
    "depth": "{:.0f} segments stand before it",
    "same text elsewhere, places": "the same text stands in {:.0f} other places",
    "spelling": "its letters follow one another as those of words do (by {:.1f}; noise is below -3)",
    "how alike the coverage of siblings": "values before it are followed by {:.0%} of its siblings",
}


def told(reason: Reason) -> str:
    """One reason in words."""
    name, value = reason.measure, reason.value
    if name == COMPANY:
        kind = "values" if reason.weight > 0 else "constants"
        return f"it is taken for what its looks and those beside it are, {kind}"
    if name.startswith(_LOOKS):
        what = name.removeprefix(_LOOKS)
        return f"it looks like this: {what}" if value else f"it does not look like this: {what}"
    if name in _FLAGS:
        return _FLAGS[name][0 if value > 0 else 1]
    if name in _SHARES:
        return f"of {name} nothing is known" if value < 0 else _SHARES[name].format(f"{value:.0%}")
    if name in _COUNTS:
        return _COUNTS[name].format(f"{math.expm1(max(value, 0.0)):.0f}")
    if name in _ODDS:
        if value == 0:
            return f"of {name} nothing is known"
        return _ODDS[name].format("a parameter more often than not" if value > 0 else "a constant mostly")
    if name == _BELOW:
        return f"it has {math.exp(value):.1f} times as much below it as those beside it"
    if name in _LEANINGS:
        return _LEANINGS[name].format("data rather than paths" if value > 0 else "paths rather than data")
    return _PLAIN[name].format(value) if name in _PLAIN else f"{name}: {value:g}"
