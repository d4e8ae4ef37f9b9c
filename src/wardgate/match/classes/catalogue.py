"""Every class of data Wardgate recognises, in the order in which they are shown.

To add one: write `match/classes/<name>.py` with a `DataClass`, list it here, and let
`tests/match/test_data_classes.py` tell you what it lacks. A package may add its own through the entry point
group `wardgate.data_classes` (a `DataClass`, or a tuple of them).
"""

from functools import cache
from importlib.metadata import entry_points

from wardgate.core.errors import WardgateError
from wardgate.match.classes.date_of_birth import DATE_OF_BIRTH
from wardgate.match.classes.email import EMAIL
from wardgate.match.classes.health import HEALTH, NHS_NUMBER
from wardgate.match.classes.iban import IBAN
from wardgate.match.classes.internal_address import INTERNAL_ADDRESS
from wardgate.match.classes.json_web_token import JSON_WEB_TOKEN
from wardgate.match.classes.location import LOCATION
from wardgate.match.classes.named_secret import OTHER_SECRET, PASSWORD
from wardgate.match.classes.national_id import OTHER_NATIONAL_ID
from wardgate.match.classes.national_ids_americas import AMERICAS
from wardgate.match.classes.national_ids_asia_africa import ASIA_AFRICA
from wardgate.match.classes.national_ids_europe import EUROPE
from wardgate.match.classes.payment_card import CARD_SECURITY_CODE, PAYMENT_CARD
from wardgate.match.classes.person_name import PERSON_NAME
from wardgate.match.classes.phone import PHONE
from wardgate.match.classes.postal_address import POSTAL_ADDRESS, POSTAL_CODE, STREET, TOWN
from wardgate.match.classes.private_key import PRIVATE_KEY
from wardgate.match.classes.service_secrets import SERVICE_SECRETS
from wardgate.match.classes.shape import DataClass

BUILTIN_CLASSES: tuple[DataClass, ...] = (
    EMAIL,
    PHONE,
    PERSON_NAME,
    POSTAL_ADDRESS,
    STREET,
    POSTAL_CODE,
    TOWN,
    DATE_OF_BIRTH,
    *AMERICAS,
    *EUROPE,
    *ASIA_AFRICA,
    OTHER_NATIONAL_ID,
    PAYMENT_CARD,
    CARD_SECURITY_CODE,
    IBAN,
    HEALTH,
    NHS_NUMBER,
    LOCATION,
    *SERVICE_SECRETS,
    JSON_WEB_TOKEN,
    PRIVATE_KEY,
    PASSWORD,
    OTHER_SECRET,
    INTERNAL_ADDRESS,
)


@cache
def data_classes() -> tuple[DataClass, ...]:
    """The built-in classes and those of installed packages. Raises `data-class-malformed`."""
    found = list(BUILTIN_CLASSES)
    for point in entry_points(group="wardgate.data_classes"):
        loaded = point.load()
        more = loaded if isinstance(loaded, tuple) else (loaded,)
        known = {one.name for one in found if isinstance(one, DataClass)}
        for one in more:
            if not isinstance(one, DataClass) or one.name in known:
                raise WardgateError(
                    "data-class-malformed",
                    f"the entry point {point.name!r} gives no data class of a new name.",
                )
            found.append(one)
    return tuple(found)
