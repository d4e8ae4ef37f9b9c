"""National identity numbers of Asia, Oceania, Africa and the Middle East."""

from stdnum.au import tfn
from stdnum.cn import ric
from stdnum.id import nik
from stdnum.il import idnr as teudat
from stdnum.in_ import aadhaar, pan
from stdnum.jp import in_ as my_number
from stdnum.kr import rrn
from stdnum.my import nric
from stdnum.nz import ird
from stdnum.pk import cnic
from stdnum.th import pin
from stdnum.za import idnr as south_africa

from wardgate.match.classes.national_id import anywhere, named, national_id
from wardgate.match.classes.shape import Pattern

_FIN_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
_FIN_LETTERS = {
    "S": (0, "JZIHGFEDCBA"),
    "T": (4, "JZIHGFEDCBA"),
    "F": (0, "XWUTRQPNMLK"),
    "G": (4, "XWUTRQPNMLK"),
    "M": (3, "KLJNPQRTUWX"),
}


def is_singapore(value: str) -> bool:
    """The check letter of an NRIC or FIN."""
    text = value.upper()
    offset, letters = _FIN_LETTERS[text[0]]
    total = offset + sum(w * int(c) for w, c in zip(_FIN_WEIGHTS, text[1:8], strict=True))
    at = total % 11
    return letters[10 - at if text[0] == "M" else at] == text[8]


_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54".split()
) | frozenset("61 62 63 64 65 71 81 82 83".split())


def is_resident(value: str) -> bool:
    """A province, a day that was, and the check digit. Counties come and go: none is looked up."""
    text = value.upper()
    try:
        ric.get_birth_date(text)
    except ric.InvalidComponent:
        return False
    return text[:2] in _PROVINCES and str(ric.calc_check_digit(text)) == text[-1]


ASIA_AFRICA = (
    national_id(
        "in-aadhaar",
        "Indian Aadhaar",
        # Three groups of four, and not of a longer number's groups.
        Pattern(
            r"(?:^|[A-Za-z:,;(=#\"'] ?)([2-9]\d{3} \d{4} \d{4})(?:$|[^\w\s-]|\s+[^\d\s]|\s+$)",
            alone=0.8,
            named=0.98,
            within=True,
            valid=aadhaar.is_valid,
        ),
        named(r"[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}", aadhaar.is_valid),
        fields=r"(aadha?ar|uid(ai)?|aadha?ar card)( ?(number|no|num|id))?",
        reference="UIDAI: Aadhaar (Verhoeff)",
        found=(("aadhaar", "234123412346"), ("", "2341 2341 2346")),
        passed=(
            ("aadhaar", "234123412347"),
            ("id", "234123412346"),
            ("", "NL12 2341 2341 2346"),
            ("", "2341 2341 2346 7"),
        ),
    ),
    national_id(
        "in-pan",
        "Indian PAN",
        anywhere(r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", pan.is_valid, 0.8),
        named(r"[A-Za-z]{5}\d{4}[A-Za-z]", pan.is_valid),
        fields=r"(pan|pan ?card|permanent account)( ?(number|no|num|id))?",
        reference="Income Tax Department of India: PAN",
        found=(("panNumber", "ACUPA7085R"), ("", "ACUPA7085R")),
        passed=(("pan", "ACUXA7085R"), ("", "ABMA7085RX"), ("code", "ABCCA1234F")),
    ),
    national_id(
        "cn-ric",
        "Chinese resident identity number",
        anywhere(
            r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx]",
            is_resident,
            0.9,
        ),
        fields=(
            r"(ric|resident ?(identity|id)?( card)?|shenfenzheng|sfz|id ?card"
            r"|身份证(号码?)?|chinese id)( ?(number|no|num|id))?"
        ),
        reference="GB 11643-1999",
        found=(("", "360426199101010071"), ("", "11010119491001001X"), ("idCard", "44011320141005001x")),
        passed=(("note", "1360426199101010071"), ("", "360426199113010071")),
    ),
    national_id(
        "jp-my-number",
        "Japanese My Number",
        named(r"\d{4}[ -]?\d{4}[ -]?\d{4}", my_number.is_valid),
        fields=r"(my ?number|individual number|マイナンバー|kojin ?bango)",
        reference="総務省令第85号 (2014)",
        found=(("myNumber", "6214 9832 0257"),),
        passed=(("myNumber", "621498320258"), ("id", "621498320257")),
    ),
    national_id(
        "kr-rrn",
        "South Korean resident registration number",
        anywhere(r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-[1-8]\d{6}", rrn.is_valid, 0.9),
        named(r"\d{6}-?[1-8]\d{6}", rrn.is_valid),
        fields=r"(rrn|resident registration( number)?|jumin( ?(number|no))?|주민등록번호)",
        reference="주민등록법 시행규칙",
        found=(("rrn", "9710131019901"), ("", "971013-1019901")),
        passed=(("rrn", "9710131019902"), ("id", "9710131019901")),
    ),
    national_id(
        "au-tfn",
        "Australian tax file number",
        named(r"\d{3}[ -]?\d{3}[ -]?\d{2,3}", tfn.is_valid),
        fields=r"(tfn|tax ?file( ?(number|no))?)( ?(number|no))?",
        reference="Australian Taxation Office: TFN",
        found=(("tfn", "123 456 782"), ("taxFileNumber", "865414088")),
        passed=(("tfn", "999 999 999"), ("id", "123456782")),
    ),
    national_id(
        "nz-ird",
        "New Zealand IRD number",
        named(r"\d{2,3}[ -]?\d{3}[ -]?\d{3}", ird.is_valid),
        fields=r"ird( ?(number|no))?",
        reference="Inland Revenue: IRD number validation",
        found=(("irdNumber", "49091850"),),
        passed=(("irdNumber", "49091851"), ("id", "49091850")),
    ),
    national_id(
        "sg-nric",
        "Singapore NRIC or FIN",
        named(r"[STFGMstfgm]\d{7}[A-Za-z]", is_singapore),
        fields=r"(nric|fin|nric fin)( ?(number|no|num))?",
        reference="Immigration and Checkpoints Authority: NRIC",
        found=(("nric", "S1234567D"), ("fin", "G1234567X")),
        passed=(("nric", "S1234567A"), ("sku", "S1234567D")),
    ),
    national_id(
        "my-nric",
        "Malaysian NRIC",
        anywhere(r"\d{6}-\d{2}-\d{4}", nric.is_valid, 0.8),
        named(r"\d{12}", nric.is_valid),
        fields=r"(nric|my ?kad|ic|kad pengenalan)( ?(number|no|num))?",
        reference="Jabatan Pendaftaran Negara: MyKad",
        checked=False,
        found=(("nric", "770305021234"), ("", "770305-02-1234")),
        passed=(("nric", "771305-02-1234"), ("id", "770305021234")),
    ),
    national_id(
        "id-nik",
        "Indonesian NIK",
        named(r"\d{16}", nik.is_valid),
        fields=r"(nik|ktp|no ktp|nomor induk kependudukan)( ?(number|no))?",
        reference="Peraturan Presiden 67/2011",
        found=(("nik", "3171011708450001"),),
        passed=(("nik", "3171015708450000000"), ("id", "3171011708450001")),
    ),
    national_id(
        "th-pin",
        "Thai identification number",
        anywhere(r"\d-\d{4}-\d{5}-\d{2}-\d", pin.is_valid, 0.9),
        named(r"\d{13}", pin.is_valid),
        fields=r"(thai ?id|citizen ?id|pin thai|บัตรประชาชน)( ?(number|no))?",
        reference="กรมการปกครอง: เลขประจำตัวประชาชน",
        found=(("citizenId", "3100600445635"), ("", "1-2345-45678-78-1")),
        passed=(("citizenId", "3100600445636"), ("id", "3100600445635")),
    ),
    national_id(
        "pk-cnic",
        "Pakistani CNIC",
        anywhere(r"\d{5}-\d{7}-\d", cnic.is_valid, 0.7),
        named(r"\d{13}", cnic.is_valid),
        fields=r"(cnic|nadra|nicop)( ?(number|no))?",
        reference="NADRA: CNIC",
        checked=False,
        found=(("cnic", "34201-0891231-8"), ("", "34201-0891231-8")),
        passed=(("cnic", "94201-0891231-8"), ("id", "3420108912318")),
    ),
    national_id(
        "il-id",
        "Israeli identity number",
        named(r"\d{8}-?\d", teudat.is_valid),
        fields=r"(teudat ?zehut|israeli ?id|zehut|mispar ?zehut)( ?(number|no))?",
        reference="Population and Immigration Authority: Mispar Zehut",
        found=(("teudatZehut", "039337423"),),
        passed=(("teudatZehut", "039337424"), ("id", "039337423")),
    ),
    national_id(
        "za-id",
        "South African identity number",
        named(r"\d{6} ?\d{4} ?\d{2} ?\d|\d{13}", south_africa.is_valid),
        fields=r"(rsa ?id|sa ?id|south african id|said)( ?(number|no))?",
        reference="Identification Act 68 of 1997",
        found=(("idNumber", "7503305044089"), ("saId", "7503305044089")),
        passed=(("saId", "8503305044089"), ("id", "7503305044089")),
    ),
)
