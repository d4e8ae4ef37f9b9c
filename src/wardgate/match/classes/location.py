"""Where somebody or something is: coordinates by name, or as a pair precise to some hundred metres."""

from wardgate.match.classes.shape import DataClass, Pattern


def on_earth(value: str) -> bool:
    """Degrees of latitude and longitude, in either order, or of one of them."""
    try:
        degrees = [abs(float(one)) for one in value.removeprefix("geo:").partition(";")[0].split(",")[:2]]
    except ValueError:
        return False
    return max(degrees) <= 180 and (len(degrees) == 1 or min(degrees) <= 90)


_DEGREES = r"[+-]?\d{1,3}\.\d{2,18}"

LOCATION = DataClass(
    name="location",
    title="Geographic location",
    reference="RFC 7946 (GeoJSON); RFC 5870 (geo URI); ISO 6709",
    patterns=(
        Pattern(r"[+-]?\d{1,2}\.\d{4,18}, ?[+-]?\d{1,3}\.\d{4,18}", alone=0.8, named=0.95, valid=on_earth),
        Pattern(
            r"geo:-?\d{1,3}(?:\.\d+)?,-?\d{1,3}(?:\.\d+)?.{0,40}", alone=0.95, named=0.98, valid=on_earth
        ),
        Pattern(rf"{_DEGREES}(?:, ?{_DEGREES}){{0,2}}", named=0.9, valid=on_earth),
        Pattern(
            r"\d{1,2}°\d{1,2}['\x{2032}]\d{1,2}(?:\.\d+)?[\"\x{2033}]?[NSEW],? ?\d{0,3}.{0,20}",
            alone=0.9,
            named=0.95,
        ),
    ),
    fields=(
        r"lat|lats|latitudes?|lng|lon|lons|longitudes?|lat ?lng|lat ?lon(g)?"
        r"|ll|geo|geo ?(location|point|coordinates?|position)",
        r"coordinates?|coords?|gps( ?(location|position|coordinates?|lat|lng"
        r"|lon))?|(geo|current|last|home|user|device) location",
        r"location|position|where|center|centroid|near",
    ),
    found=(
        ("latitude", "52.520008"),
        ("longitude", "-122.419416"),
        ("geometry.coordinates[]", "13.404954"),
        ("", "48.858370, 2.294481"),
        ("uri", "geo:48.2010,16.3695;u=30"),
    ),
    passed=(
        ("latitude", "352.52"),
        ("price", "52.52"),
        ("lat", "12"),
        ("location", "Berlin"),
        ("size", "1920.5, 1080.5"),
    ),
)
