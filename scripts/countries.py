#!/usr/bin/env python3
"""Writes src/field/data/countries.tsv and currencies.tsv.

Sources, none of them copied by hand:
- Unicode CLDR as packaged by Babel (https://pypi.org/project/babel/, BSD-3-Clause; the data: Unicode-3.0):
  names of countries in many languages, English currency names, signs, which currencies are in use;
- i18n-iso-countries (https://www.npmjs.com/package/i18n-iso-countries, MIT): ISO 3166-1 codes and second
  spellings of names.

Usage:
    pip install --target babel 'babel==2.18.0'
    npm pack i18n-iso-countries@7.14.0 && tar xzf i18n-iso-countries-7.14.0.tgz
    PYTHONPATH=babel python3 scripts/countries.py package
where `package` is the unpacked npm package.
"""

import json
import pathlib
import sys

import babel
from babel import Locale
from babel.core import get_global
from babel.localedata import locale_identifiers
from babel.numbers import get_territory_currencies

PACKAGE = pathlib.Path(sys.argv[1])
DATA = pathlib.Path(__file__).resolve().parent.parent / "src" / "field" / "data"
LANGUAGES = (
    "en de fr nl es it pt sv da nb fi is pl cs sk sl hu ro hr bg el et lv lt ca ga tr ru uk "
    "ar he zh zh_Hant ja ko id vi"
).split()

# Everyday names that neither source has. The facts are common knowledge; the list is this project's own.
ALIASES = {
    "AE": ["Emirates"],
    "BA": ["Bosnia"],
    "BO": ["Bolivia, Plurinational State of", "Plurinational State of Bolivia"],
    "BN": ["Brunei Darussalam"],
    "BQ": ["Bonaire, Sint Eustatius and Saba", "Caribbean Netherlands"],
    "CD": ["DR Congo", "DRC", "Congo, Dem. Rep.", "Congo, Democratic Republic of the", "Congo Kinshasa",
           "Congo (the Democratic Republic of the)", "Zaire", "République démocratique du Congo",
           "República Democrática del Congo", "República Democrática do Congo", "Demokratische Republik Kongo",
           "Democratische Republiek Congo", "Repubblica Democratica del Congo"],
    "CG": ["Congo, Rep.", "Congo, Republic of the", "Congo Brazzaville"],
    "CI": ["Ivory Coast"],
    "CN": ["PRC", "PR China", "Mainland China"],
    "CV": ["Cabo Verde", "Cape Verde"],
    "CZ": ["Czech Rep."],
    "DE": ["BRD", "Federal Republic of Germany", "Bundesrepublik Deutschland"],
    "DO": ["Dominican Rep."],
    "EG": ["Egypt, Arab Rep."],
    "FK": ["Falkland Islands (Malvinas)", "Falklands"],
    "FM": ["Micronesia", "Federated States of Micronesia", "Micronesia, Federated States of", "Micronesia, Fed. Sts."],
    "GB": ["UK", "U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland",
           "United Kingdom of Great Britain and Northern Ireland"],
    "GM": ["Gambia, The"],
    "GR": ["EL", "Hellas", "Hellenic Republic"],
    "HK": ["Hong Kong", "Hong Kong SAR", "Hong Kong SAR, China"],
    "IR": ["Iran, Islamic Republic of", "Iran, Islamic Rep.", "Persia"],
    "IE": ["Eire", "Republic of Ireland"],
    "KG": ["Kyrgyz Republic"],
    "KN": ["St. Kitts & Nevis"],
    "KP": ["North Korea", "DPRK", "Korea, North", "Korea, Dem. People's Rep.", "Korea, Democratic People's Republic of",
           "Democratic People's Republic of Korea", "Korea (the Democratic People's Republic of)"],
    "KR": ["South Korea", "Korea, South", "Korea, Rep.", "Korea, Republic of", "Republic of Korea", "Korea (the Republic of)", "ROK"],
    "LA": ["Laos", "Lao PDR", "Lao People's Democratic Republic"],
    "MD": ["Moldova, Republic of", "Republic of Moldova"],
    "MK": ["Macedonia", "North Macedonia", "FYROM", "Macedonia, FYR", "Macedonia, the former Yugoslav Republic of"],
    "MM": ["Burma"],
    "MO": ["Macau", "Macao", "Macao SAR", "Macao SAR, China"],
    "NL": ["Holland", "The Netherlands", "Kingdom of the Netherlands"],
    "PS": ["Palestine", "Palestine, State of", "State of Palestine", "Palestinian Territory", "Palestinian Territories", "West Bank and Gaza"],
    "RU": ["Russia", "Russian Fed.", "Fédération de Russie", "Federación de Rusia"],
    "SK": ["Slovak Republic"],
    "SY": ["Syrian Arab Republic"],
    "SZ": ["Swaziland", "Eswatini"],
    "TL": ["East Timor", "Timor-Leste", "Democratic Republic of Timor-Leste"],
    "TR": ["Turkey", "Türkiye", "Turkiye"],
    "TW": ["Taiwan", "Taiwan, China", "Taiwan, Province of China", "Chinese Taipei"],
    "TZ": ["Tanzania, United Republic of"],
    "US": ["USA", "U.S.A.", "U.S.", "United States", "United States of America", "the States"],
    "VA": ["Vatican", "Vatican City", "Holy See", "Holy See (Vatican City State)"],
    "VE": ["Venezuela, RB", "Venezuela, Bolivarian Republic of", "Bolivarian Republic of Venezuela"],
    "VG": ["British Virgin Islands", "Virgin Islands, British", "Virgin Islands (British)", "BVI"],
    "VI": ["US Virgin Islands", "Virgin Islands, U.S.", "Virgin Islands (U.S.)", "United States Virgin Islands", "USVI"],
    "VN": ["Vietnam", "Viet Nam", "Socialist Republic of Viet Nam"],
    "XK": ["Kosovo"],
    "YE": ["Yemen, Rep."],
}
# The formal English names, by the words before or behind the everyday name: common knowledge, this project's list.
FORMAL = {
    "Republic of": "AL AM AO AT AZ BG BI BJ BW BY CG CI CL CM CO CR CU CV CY DJ EC EE FI FJ GE GH GM GN GQ GT GW HN HR HT HU "
    "ID IE IN IQ IS KE KI KR KZ LR LT LV MD MG MH MK ML MM MT MU MV MW MZ NA NE NI NR PA PE PH PL PW PY RS RW SC SD SG SI "
    "SL SM SN SR SS SV TD TJ TN TR TT UG UZ VU XK YE ZA ZM ZW",
    "Kingdom of": "BE BH BT DK ES KH LS MA NL NO SA SE SZ TH TO",
    "Hashemite Kingdom of": "JO",
    "Principality of": "AD LI MC",
    "Grand Duchy of": "LU",
    "State of": "ER IL KW LY PS QA",
    "Independent State of": "PG WS",
    "Sultanate of": "OM",
    "Commonwealth of": "AU BS DM",
    "Union of": "KM",
    "Federal Republic of": "DE NG SO",
    "Federative Republic of": "BR",
    "Federal Democratic Republic of": "ET NP",
    "Islamic Republic of": "AF IR MR PK",
    "Arab Republic of": "EG",
    "People's Republic of": "BD CN",
    "People's Democratic Republic of": "DZ",
    "Democratic Republic of": "CD ST TL",
    "Socialist Republic of": "VN",
    "Democratic Socialist Republic of": "LK",
    "Co-operative Republic of": "GY",
    "United Republic of": "TZ",
}
OWN_FORMAL = {
    "AR": "Argentine Republic", "CH": "Swiss Confederation", "FR": "French Republic", "GA": "Gabonese Republic",
    "IT": "Italian Republic", "LB": "Lebanese Republic", "MX": "United Mexican States", "PT": "Portuguese Republic",
    "TG": "Togolese Republic", "UY": "Oriental Republic of Uruguay", "TW": "Republic of China", "TD": "Republic of Chad",
}
# Names that two countries answer to, whatever one source says.
SHARED = {
    ("KR", "KP"): ["Korea", "Corea", "Corée", "Coreia", "Coréia", "Koreja", "Kore", "Корея"],
    ("CD", "CG"): ["Congo", "Kongo", "Konga", "Конго"],
    ("VG", "VI"): ["Virgin Islands", "Jungferninseln", "Îles Vierges", "Islas Vírgenes", "Isole Vergini", "Ilhas Virgens"],
}


def names(value):
    return value if isinstance(value, list) else [value]


def usable(name):
    return bool(name) and "\t" not in name and "|" not in name


def countries():
    codes = {a2: (a3, number) for a2, a3, number, *_ in json.loads((PACKAGE / "codes.json").read_text())}
    codes.setdefault("XK", ("XKX", ""))
    english = Locale("en").territories
    second = {}
    for language in LANGUAGES:
        file = PACKAGE / "langs" / f"{language.split('_')[0]}.json"
        if file.exists():
            second[language] = json.loads(file.read_text())["countries"]
    rows = []
    unknown = set(" ".join(FORMAL.values()).split()) - set(codes)
    if unknown:
        raise SystemExit(f"no such codes: {unknown}")
    for code in sorted(codes):
        a3, number = codes[code]
        own, other = [english[code]], []
        own += ALIASES.get(code, []) + names(second["en"].get(code, []))
        short = {"CG": "the Congo", "CD": "the Congo", "ST": "Sao Tome and Principe", "MK": "North Macedonia"}.get(code, own[0])
        own += [f"{form} {short}" for form, codes in FORMAL.items() if code in codes.split()]
        own += [OWN_FORMAL[code]] if code in OWN_FORMAL else []
        for language in LANGUAGES[1:]:
            other.append(Locale.parse(language).territories.get(code))
            other += names(second.get(language, {}).get(code, []))
        own = list(dict.fromkeys(name.strip() for name in own if usable(name)))
        other = [name for name in dict.fromkeys(name.strip() for name in other if usable(name)) if name not in own]
        if number == "" and code != "XK":
            raise SystemExit(f"{code} has no number")
        rows.append("\t".join([code, a3, number, own[0], "|".join(own[1:]), "|".join(other)]))
    for shared, spellings in SHARED.items():
        if spellings:
            rows.append("\t".join([" ".join(shared), "", "", "", "|".join(spellings), ""]))
    return rows


def currencies():
    locale = Locale("en")
    used = set()
    for entries in get_global("territory_currencies").values():
        for code, start, end, tender in entries:
            if end is None and tender:
                used.add(code)
    # Signs that stand for more than one currency; CLDR's English default for them is not taken.
    shared = {"$", "¥", "￥", "kr", "kr.", "rs", "rs.", "fr", "fr.", "l", "k", "t", "d"}
    signs = {}
    for code in used:
        signs.setdefault(locale.currency_symbols.get(code, code), set()).add(code)
    english = dict(signs)
    # The sign that a currency has at home, where no other currency has it.
    for name in locale_identifiers():
        home = Locale.parse(name)
        if not home.territory:
            continue
        for code in set(get_territory_currencies(home.territory)) & used:
            sign = home.currency_symbols.get(code, code).strip("\u200b\u200e\u200f\u061c ")
            # A single letter stands before too many things.
            if sign and sign not in english and not (len(sign) == 1 and sign.isalpha()):
                signs.setdefault(sign, set()).add(code)
    own = {}
    for sign, codes in signs.items():
        if len(codes) == 1 and sign.casefold() not in shared and sign.upper() not in used and usable(sign):
            own.setdefault(min(codes), []).append(sign)
    return ["\t".join([code, locale.currencies[code], "|".join(sorted(own.get(code, [])))]) for code in sorted(used)]


def write(name, what, rows):
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    head = [
        f"# {what}",
        "# Generated by scripts/countries.py; do not edit.",
        f"# Sources: Unicode CLDR through Babel {babel.__version__} (Unicode-3.0), i18n-iso-countries {version} (MIT).",
    ]
    (DATA / name).write_text("\n".join(head + rows) + "\n", encoding="utf-8")


write("countries.tsv", "alpha-2, alpha-3, numeric, English name, other English names, names in other languages", countries())
write("currencies.tsv", "ISO 4217 code of a currency in use, English name, signs that are its alone", currencies())
