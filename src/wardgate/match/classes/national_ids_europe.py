"""National identity numbers of Europe."""

from stdnum.be import nn
from stdnum.ch import ssn as ahv
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.ie import pps
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.ro import cnp
from stdnum.ru import inn
from stdnum.se import personnummer
from stdnum.tr import tckimlik

from wardgate.match.classes.national_id import anywhere, named, national_id

_NINO = r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
_NOT_ISSUED = frozenset("BG GB NK KN TN NT ZZ".split())


def is_nino(value: str) -> bool:
    """A prefix that is given out."""
    return value[:2].upper() not in _NOT_ISSUED


EUROPE = (
    national_id(
        "uk-nino",
        "United Kingdom national insurance number",
        anywhere(rf"{_NINO} \d{{2}} \d{{2}} \d{{2}} [A-D]", is_nino, 0.9),
        named(rf"(?i){_NINO} ?\d{{2}} ?\d{{2}} ?\d{{2}} ?[A-D]", is_nino),
        fields=r"(ni ?no?|national ?insurance( ?(number|no))?|ni (number|no))",
        reference="HMRC, NIM39110",
        checked=False,
        found=(("nino", "AB123456C"), ("", "AB 12 34 56 C"), ("nationalInsuranceNumber", "ab123456c")),
        passed=(("nino", "BG123456C"), ("nino", "AB123456E"), ("sku", "AB123456C")),
    ),
    national_id(
        "de-steuer-id",
        "German tax identification number",
        named(r"\d{2} ?\d{3} ?\d{3} ?\d{3}", idnr.is_valid),
        fields=(
            r"(steuer ?id( ?nr)?|id ?nr|steuer ?(liche )?identifikations ?nummer"
            r"|steuer ?nummer|tax ?id(entification)?( ?number)?)"
        ),
        reference="Bundeszentralamt für Steuern; Abgabenordnung, § 139b",
        found=(("steuerId", "36574261809"), ("tax_id", "36 574 261 809")),
        passed=(("steuerId", "36574261890"), ("id", "36574261809")),
    ),
    national_id(
        "fr-nir",
        "French social security number (NIR)",
        anywhere(r"[12378] \d{2} \d{2} \d[0-9AB] \d{3} \d{3} \d{2}", nir.is_valid, 0.95),
        named(r"[1-478] ?\d{2} ?\d{2} ?\d[0-9AB] ?\d{3} ?\d{3} ?\d{2}", nir.is_valid),
        fields=(
            r"(nir|insee|secu|(numero )?(de )?securite sociale|num(ero)? secu"
            r"|numero ss|nss|social ?security( ?(number|no))?)"
        ),
        reference="INSEE; décret 82-103",
        found=(("nir", "295109912611193"), ("", "2 95 10 99 126 111 93")),
        passed=(("nir", "295109912611199"), ("id", "295109912611193")),
    ),
    national_id(
        "it-codice-fiscale",
        "Italian codice fiscale",
        anywhere(
            r"[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]",
            codicefiscale.is_valid,
            0.95,
        ),
        named(r"(?i)[A-Z]{6}[0-9A-Z]{2}[A-Z][0-9A-Z]{2}[A-Z][0-9A-Z]{3}[A-Z]", codicefiscale.is_valid),
        fields=r"(codice ?fiscale|cf|cod fisc)",
        reference="Agenzia delle Entrate, D.M. 12 marzo 1974",
        found=(("", "RCCMNL83S18D969H"), ("codiceFiscale", "rccmnl83s18d969h")),
        passed=(("codiceFiscale", "RCCMNL83S18D967H"), ("", "RCCMNL83S18D969")),
    ),
    national_id(
        "es-dni",
        "Spanish DNI",
        named(
            r"\d{8}[ -]?[A-Za-z]|\d{2}\.\d{3}\.\d{3}-?[A-Za-z]",
            lambda value: dni.is_valid(value.replace(".", "")),
        ),
        fields=r"(dni|nif|documento( nacional)?( de)?( identidad)?|dni nie)( ?(number|numero|no))?",
        reference="Ministerio del Interior: cálculo del dígito de control del NIF/NIE",
        found=(("dni", "54362315K"), ("nif", "54362315-K")),
        passed=(("dni", "54362315Z"), ("sku", "54362315K")),
    ),
    national_id(
        "es-nie",
        "Spanish NIE",
        named(r"[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]", nie.is_valid),
        fields=r"(nie|nif|documento( nacional)?( de)?( identidad)?|dni nie|dni)( ?(number|numero|no))?",
        reference="Ministerio del Interior: cálculo del dígito de control del NIF/NIE",
        found=(("nie", "X2482300W"), ("nif", "x-2482300-w")),
        passed=(("nie", "X2482300A"), ("sku", "X2482300W")),
    ),
    national_id(
        "nl-bsn",
        "Dutch citizen service number",
        named(r"\d{4}[. ]?\d{2}[. ]?\d{3}|\d{8,9}", bsn.is_valid),
        fields=r"(bsn|burger ?service ?nummer|sofi( ?nummer)?|citizen service number)( ?(number|no))?",
        reference="Rijksoverheid: burgerservicenummer (elfproef)",
        found=(("bsn", "111222333"),),
        passed=(("bsn", "111252333"), ("id", "111222333")),
    ),
    national_id(
        "pl-pesel",
        "Polish PESEL",
        named(r"\d{11}", pesel.is_valid),
        fields=r"(nr )?pesel( ?(number|no|nr))?",
        reference="Ministerstwo Cyfryzacji: PESEL",
        found=(("pesel", "44051401359"),),
        passed=(("pesel", "44051401358"), ("id", "44051401359")),
    ),
    national_id(
        "se-personnummer",
        "Swedish personal identity number",
        named(r"(?:\d{2})?\d{6}[-+]?\d{4}", personnummer.is_valid),
        fields=r"(person ?nummer|personal ?(identity )?number|pnr|person number|ssn)",
        reference="Skatteverket, SKV 704",
        found=(("personnummer", "880320-0016"), ("personalNumber", "198803200016")),
        passed=(("personnummer", "880320-0018"), ("id", "8803200016")),
    ),
    national_id(
        "no-fodselsnummer",
        "Norwegian national identity number",
        named(r"\d{6} ?\d{5}", fodselsnummer.is_valid),
        fields=r"(fodsels ?nummer|fødsels ?nummer|fnr|person ?nummer)",
        reference="Skatteetaten: fødselsnummer",
        found=(("fnr", "15108695088"),),
        passed=(("fnr", "15108695077"), ("id", "15108695088")),
    ),
    national_id(
        "dk-cpr",
        "Danish CPR number",
        named(r"\d{6}-?\d{4}", cpr.is_valid),
        fields=r"cpr( ?(number|nummer|no|nr))?|person ?nummer",
        reference="CPR-kontoret: personnummeret i CPR",
        checked=False,
        found=(("cpr", "211062-5629"),),
        passed=(("cpr", "511062-5629"), ("id", "2110625629")),
    ),
    national_id(
        "fi-hetu",
        "Finnish personal identity code",
        anywhere(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", hetu.is_valid),
        named(r"(?i)\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", hetu.is_valid),
        fields=r"(hetu|henkilo ?tunnus|henkilötunnus|personal identity code)",
        reference="Digi- ja väestötietovirasto: henkilötunnus",
        found=(("hetu", "131052-308T"), ("", "131052-308T")),
        passed=(("hetu", "131052-308U"), ("", "310252-308Y")),
    ),
    national_id(
        "be-nn",
        "Belgian national number",
        anywhere(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", nn.is_valid, 0.95),
        named(r"\d{11}", nn.is_valid),
        fields=r"(nn|rrn|niss|insz|rijksregister ?nummer|numero national|registre national)( ?(number|no))?",
        reference="Registre national, arrêté royal du 3 avril 1984",
        found=(("", "85.07.30-033.28"), ("niss", "85073003328")),
        passed=(("niss", "85073003329"), ("id", "85073003328")),
    ),
    national_id(
        "ch-ahv",
        "Swiss AHV number",
        anywhere(r"756\.\d{4}\.\d{4}\.\d{2}", ahv.is_valid, 0.95),
        named(r"756\d{10}", ahv.is_valid),
        fields=(
            r"(ahv|avs|ahvn|navs|sozial ?versicherungs ?nummer|oasi"
            r"|social ?security)( ?(number|nummer|nr|no))?"
        ),
        reference="ZAS: AHV-Nummer (EAN-13)",
        found=(("", "756.9217.0769.85"), ("ahvNummer", "7569217076985")),
        passed=(("", "756.9217.0769.84"), ("ean", "7569217076985")),
    ),
    national_id(
        "pt-nif",
        "Portuguese NIF",
        named(r"\d{9}|\d{3} \d{3} \d{3}", nif.is_valid),
        fields=r"(nif|contribuinte|numero fiscal)( ?(number|no))?",
        reference="Autoridade Tributária: NIF",
        found=(("contribuinte", "501964843"),),
        passed=(("nif", "501964842"), ("id", "501964843")),
    ),
    national_id(
        "ie-pps",
        "Irish PPS number",
        named(r"\d{7}[A-Wa-w][A-IWa-iw]?", pps.is_valid),
        fields=r"pps(n)?( ?(number|no))?",
        reference="Department of Social Protection: PPS number",
        found=(("ppsn", "6433435F"),),
        passed=(("ppsn", "6433435E"), ("sku", "6433435F")),
    ),
    national_id(
        "ro-cnp",
        "Romanian CNP",
        named(r"[1-9]\d{12}", cnp.is_valid),
        fields=r"(cnp|cod numeric personal)",
        reference="Legea 105/1996",
        found=(("cnp", "1630615123457"),),
        passed=(("cnp", "1630615123458"), ("id", "1630615123457")),
    ),
    national_id(
        "cz-rc",
        "Czech or Slovak birth number",
        anywhere(r"\d{6}/\d{4}", rc.is_valid),
        named(r"\d{6}/?\d{3,4}", rc.is_valid),
        fields=r"(rc|rodne ?cislo|rodné číslo|birth ?number)",
        reference="Zákon 133/2000 Sb., § 13",
        found=(("rodneCislo", "7103192745"), ("", "710319/2745")),
        passed=(("rodneCislo", "7103192746"), ("id", "7103192745")),
    ),
    national_id(
        "ru-inn",
        "Russian INN",
        named(r"\d{10}|\d{12}", inn.is_valid),
        fields=r"inn( ?(number|no))?|инн",
        reference="Federal Tax Service of Russia: INN, check digits",
        found=(("inn", "123456789047"),),
        passed=(("inn", "123456789037"), ("id", "123456789047")),
    ),
    national_id(
        "tr-tckn",
        "Turkish identity number",
        named(r"[1-9]\d{10}", tckimlik.is_valid),
        fields=r"(tc ?kimlik|tckn|kimlik)( ?(no|number|numarasi|numaras\x{131}))?",
        reference="Nufus ve Vatandaslik Isleri: T.C. kimlik no",
        found=(("tckn", "17291716060"),),
        passed=(("tckn", "17291716050"), ("id", "17291716060")),
    ),
)
