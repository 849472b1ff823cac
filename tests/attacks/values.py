"""Hostile values for JSON, paths, queries and headers; each has been someone's bug."""

from collections.abc import Mapping
from urllib.parse import quote

DEEP = 100_000


def _digits(count: int) -> bytes:
    return b"9" * count


IN_JSON: Mapping[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "an object": b"{}",
    "an array": b"[]",
    "arrays in arrays": b"[[[[[]]]]]",
    "an empty text": b'""',
    "a blank": b'" "',
    "NUL": b'"\\u0000"',
    "NUL within": b'"a\\u0000b"',
    "a control": b'"\\u001f"',
    "delete": b'"\\u007f"',
    "a next line": b'"\\u0085"',
    "a line separator": b'"\\u2028"',
    "a raw control": b'"\x01"',
    "a raw line break": b'"a\nb"',
    "a lone high surrogate": b'"\\ud800"',
    "a lone low surrogate": b'"\\udfff"',
    "surrogates reversed": b'"\\udc00\\ud800"',
    "a pair": b'"\\ud83d\\ude42"',
    "bytes that are not UTF-8": b'"\xff\xfe"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "UTF-8 cut short": b'"\xe2\x82"',
    "a noncharacter": b'"\xef\xbf\xbf"',
    "a byte order mark": b'"\xef\xbb\xbf"',
    "right to left": '"\u202eabc"'.encode(),
    "letters that join": '"\u200d\u0301"'.encode(),
    "a bad escape": b'"\\x41"',
    "an unclosed text": b'"abc',
    "an unclosed array": b"[1,",
    "a comment": b"/* */1",
    "a trailing comma": b"[1,]",
    "single quotes": b"'a'",
    "no JSON": b"undefined",
    "NaN": b"NaN",
    "infinity": b"-Infinity",
    "a fraction": b"1.5",
    "a whole fraction": b"5.0",
    "minus zero": b"-0",
    "a leading zero": b"007",
    "a plus": b"+1",
    "hexadecimal": b"0x10",
    "31 bits": b"2147483648",
    "63 bits": b"9223372036854775808",
    "64 bits": b"18446744073709551615",
    "65 bits": b"18446744073709551616",
    "minus 64 bits": b"-9223372036854775809",
    "4,301 digits": _digits(4_301),
    "a huge exponent": b"1e400",
    "a huger exponent": b"1e999999999",
    "a small exponent": b"1e-400",
    "a text of digits": b'"12345678901234567890"',
    "an amount too fine": b'"0.0000000001"',
    "an amount too large": b'"' + _digits(40) + b'"',
    "an amount of other digits": '"\u0661\u0662"'.encode(),
    "a negative amount": b'"-1.00"',
    "an amount with a line break": b'"1.00\\n"',
    "year 0": b'"0000-01-01T00:00:00Z"',
    "year 1": b'"0001-01-01T00:00:00+23:59"',
    "year 9999": b'"9999-12-31T23:59:59.999999-23:59"',
    "year 10000": b'"10000-01-01T00:00:00Z"',
    "a leap second": b'"2016-12-31T23:59:60Z"',
    "no offset": b'"2026-01-15T12:00:00"',
    "an offset of a day": b'"2026-01-15T12:00:00+24:00"',
    "day 30 of February": b'"2026-02-30"',
    "an instant with endless digits": b'"2026-01-15T12:00:00.' + _digits(5_000) + b'Z"',
    "a day in place of an instant": b'"2026-01-15"',
    "a long text": b'"' + b"x" * 100_000 + b'"',
    "65 letters": b'"' + b"a" * 65 + b'"',
    "dots": b'".."',
    "a slash": b'"a/b"',
    "a zone that is a path": b'"../../../etc/passwd"',
    "a zone without a file": b'"Mars/Olympus"',
    "SQL": b'"\'; drop table shops; --"',
    "a format": b'"%s%n{0.__class__}"',
    "a template": b'"{{7*7}}${7*7}"',
    "markup": b'"<script>alert(1)</script>"',
    "a member twice": b'{"a":1,"a":2}',
    "a prototype": b'{"__proto__":{"x":1},"constructor":{}}',
    "a member without a name": b'{"":1}',
}
"""By what is hostile about them: each is put in the place of every value of every body."""

BOMBS: Mapping[str, bytes] = {
    "deep arrays": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep and unclosed": b"[" * DEEP,
    "10^5 members": b"{" + b",".join(b'"%d":0' % n for n in range(100_000)) + b"}",
    "10^5 times one member": b"{" + b",".join([b'"a":0'] * 100_000) + b"}",
    "10^6 items": b"[" + b",".join([b"0"] * 1_000_000) + b"]",
    "a million digits": _digits(1_000_000),
    "a million digits of a fraction": b"0." + _digits(1_000_000),
    "a million escapes": b'"' + b"\\u0041" * 1_000_000 + b'"',
    "a million quotes": b'"' + b'\\"' * 1_000_000 + b'"',
}
"""What costs more to take apart than to send."""

_TEXTS = (
    "", "-1", "0", "1e5", "+5", "5.0", "007", "0x10", "2147483648", "9223372036854775808",
    "18446744073709551616", "9" * 4_301, "NaN", "null", "true", "[]", "{}", "{shop_id}", "..", ".",
    "...", "a" * 65, "a" * 6_000, "a b", "a/b", "a;b", "a:b", "a,b", "a%b", "*", "'", '"', "\\",
    "<script>", "'; drop table shops; --", "${7*7}", "%s%n", "\u00e9", "\u202e", "\u0665", "\ud7ff",
    "\uffff", "\U0001f642", "2026-02-30", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01",
    "2026-1-5", "2026-01-15T00:00:00Z", "20260115", "counted\n", "../../etc/passwd",
)  # fmt: skip

QUOTED: tuple[str, ...] = (
    *(quote(text, safe="") for text in _TEXTS), "%00", "a%00b", "%01", "%0A",
    "%0D%0AX-Injected:%20yes", "%7F", "%FF", "%C0%AF", "%ED%A0%80", "%E2%82", "%", "%z", "%u0041",
    "%2e%2e%2fetc", "%252e", "%2F", "..%2F..%2Fetc", "a" * 10_000, "a;b", "a:b", "*", "'",
    "{shop_id}", "~",
)  # fmt: skip
"""In a path or a query, quoted as far as they need be."""

IN_HEADERS: tuple[bytes, ...] = (
    b"", b" ", b",", b",,,,", b";", b";;;=", b'"', b'W/"', b'W/""', b"*", b"*/*", b"\xff\xfe",
    b"\xc3\xa9", b"%00", b"\t", b"a" * 20_000, b"gzip, gzip", b"gzip;q=0", b"x-gzip", b"identity",
    b"deflate", b"handling=strict; wait=99999999999999999999", b'handling="strict',
    b"application/json; charset=utf-16", b"application/json; charset=" + b"a" * 5_000,
    b"application/json; charset*" + b"9" * 5_000 + b"=utf-8",
    b"application/json; charset*=utf-8''%ff", b"multipart/form-data; boundary=", b"=?utf-8?q?=ff?=",
    b'"' + b'",W/"' * 3_000 + b'"', b"-1", b"99999999999999999999",
    b"Bearer sdk_" + b"a" * 64 + b"_" + b"x" * 256, b"Bearer sdk_\xff_\xff",
)  # fmt: skip

HEADERS: tuple[bytes, ...] = (
    b"Accept", b"Accept-Encoding", b"Authorization", b"Ce-Id", b"Ce-Time", b"Content-Encoding",
    b"Content-Type", b"Cookie", b"Expect", b"Forwarded", b"If-None-Match", b"Origin", b"Prefer",
    b"Range", b"Upgrade", b"X-Forwarded-For", b"X-HTTP-Method-Override", b"X-Request-Id",
)  # fmt: skip
"""What may be looked at, by the service or by what it stands on."""
