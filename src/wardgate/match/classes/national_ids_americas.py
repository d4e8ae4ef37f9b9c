"""National identity numbers of the Americas."""

from stdnum.ar import cuit
from stdnum.br import cnpj, cpf
from stdnum.ca import sin
from stdnum.cl import rut
from stdnum.mx import curp
from stdnum.us import itin, ssn

from wardgate.match.classes.national_id import anywhere, named, national_id

_SSA = "Social Security Administration, POMS RM 10201.035"

AMERICAS = (
    national_id(
        "us-ssn",
        "United States social security number",
        anywhere(r"\d{3}-\d{2}-\d{4}", ssn.is_valid),
        named(r"\d{3}[ -]?\d{2}[ -]?\d{4}", ssn.is_valid),
        fields=r"(ssn|social ?security( ?(number|no|num|nr|id))?|social|ss ?n(umber|o))",
        reference=_SSA,
        checked=False,
        found=(("ssn", "536904399"), ("", "536-90-4399"), ("note", "SSN 536-90-4399, male")),
        passed=(("id", "536904399"), ("ssn", "666-90-4399"), ("ssn", "000904399"), ("", "1536-90-4399")),
    ),
    national_id(
        "us-itin",
        "United States individual taxpayer number",
        named(r"9\d{2}[ -]?\d{2}[ -]?\d{4}", itin.is_valid),
        fields=r"(itin|tin|tax ?(payer)? ?(id|number|identification( number)?))",
        reference="Internal Revenue Service, publication 1915",
        checked=False,
        found=(("itin", "912-90-3456"),),
        passed=(("itin", "812-90-3456"), ("id", "912903456")),
    ),
    national_id(
        "ca-sin",
        "Canadian social insurance number",
        named(r"\d{3}[ -]?\d{3}[ -]?\d{3}", sin.is_valid),
        fields=r"(sin|social ?insurance( ?(number|no))?|nas)( number)?",
        reference="Employment and Social Development Canada: SIN",
        found=(("sin", "123-456-782"), ("socialInsuranceNumber", "123456782")),
        passed=(("sin", "999-999-999"), ("id", "123456782")),
    ),
    national_id(
        "br-cpf",
        "Brazilian CPF",
        anywhere(r"\d{3}\.\d{3}\.\d{3}-\d{2}", cpf.is_valid, 0.95),
        named(r"\d{11}", cpf.is_valid),
        fields=r"(cpf|documento|cpf cnpj|document)( ?(number|numero|no))?",
        reference="Receita Federal, instrução normativa 2.172",
        found=(("", "390.533.447-05"), ("cpf", "39053344705")),
        passed=(("cpf", "390.533.447-06"), ("id", "39053344705"), ("", "39053344705")),
    ),
    national_id(
        "br-cnpj",
        "Brazilian CNPJ",
        anywhere(r"[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-\d{2}", cnpj.is_valid, 0.95),
        named(r"[0-9A-Z]{12}\d{2}", cnpj.is_valid),
        fields=r"(cnpj|documento|cpf cnpj|company tax id)( ?(number|numero|no))?",
        reference="Receita Federal, instrução normativa 2.229",
        found=(("", "16.727.230/0001-97"), ("cnpj", "16727230000197")),
        passed=(("cnpj", "16.727.230.0001-98"), ("id", "16727230000197")),
    ),
    national_id(
        "mx-curp",
        "Mexican CURP",
        anywhere(r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", curp.is_valid, 0.95),
        named(r"(?i)[A-Z]{4}\d{6}[A-Z]{6}[A-Z0-9]\d", curp.is_valid),
        fields=r"curp",
        reference="RENAPO, instructivo normativo CURP",
        found=(("", "BOXW310820HNERXN09"), ("curp", "boxw310820hnerxn09")),
        passed=(("curp", "BOXW310820HNERXN08"), ("", "BOXW310820HNERXN0")),
    ),
    national_id(
        "ar-cuit",
        "Argentine CUIT or CUIL",
        anywhere(r"(?:20|23|24|27)-\d{8}-\d", cuit.is_valid),
        named(r"\d{11}", cuit.is_valid),
        fields=r"cui[tl]( ?(number|numero|no))?",
        reference="AFIP: CUIT",
        found=(("cuit", "20055361682"), ("", "20-05536168-2")),
        passed=(("cuit", "20055361683"), ("id", "20055361682")),
    ),
    national_id(
        "cl-rut",
        "Chilean RUT",
        anywhere(r"\d{1,2}\.\d{3}\.\d{3}-[0-9Kk]", rut.is_valid, 0.9),
        named(r"\d{7,8}-?[0-9Kk]", rut.is_valid),
        fields=r"ru[tn]( ?(number|numero|no))?",
        reference="Servicio de Impuestos Internos: RUT",
        found=(("rut", "125319092"), ("", "12.531.909-2")),
        passed=(("rut", "125319093"), ("", "12.531.909-3")),
    ),
)
