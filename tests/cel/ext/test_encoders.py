"""The library `encoders`: base64, padded or not."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskman_authz._fast.values import Fault
from taskman_authz.cel import ext
from taskman_authz.limits import Limits
from tests.cel.ext.evaluating import env_of, error, implementations, refused, value

ENV = env_of(ext.ENCODERS)
FUNCTIONS = implementations(ext.ENCODERS)


@pytest.mark.parametrize("text, expected", [
    ("base64.encode(b'')", ""),
    ("base64.encode(b'\\xff\\xff\\xfe')", "///+"),
    ("base64.decode('')", b""),
    ("base64.decode('aGVsbG8=')", b"hello"),
    ("base64.decode('aGVsbG8')", b"hello"),
    ("base64.decode('aGVs\\r\\nbG8=\\n')", b"hello"),
    ("base64.decode('aGVsbG9=')", b"hello"),
])  # fmt: skip
def test_value(text, expected):
    assert value(ENV, text) == expected


@pytest.mark.parametrize("text", [
    "a", "aGVsb", "aGVsbG8==", "aGVsbA=", "=", "====", "aGVs bG8=", "_-8=", "a=Vs", "aGVsé", "٣٣٣٣",
])  # fmt: skip
def test_what_is_not_base64_is_an_error(text):
    assert error(ENV, f"base64.decode('{text}')") == "invalid_argument"


def test_texts_are_decoded_and_bytes_encoded():
    assert refused(ENV, "base64.encode('a')") == {"no_matching_overload"}
    assert refused(ENV, "base64.decode(b'a')") == {"no_matching_overload"}


def test_an_encoded_text_is_bounded():
    bounded = implementations(ext.ENCODERS, Limits(value_size=8))
    assert bounded["base64.encode", 1](b"123456") == "MTIzNDU2"
    assert bounded["base64.encode", 1](b"1234567").details == ("value_size", 8)


@given(st.binary())
def test_encoding_is_that_of_the_standard_library_and_decodes_back(octets):
    text = FUNCTIONS["base64.encode", 1](octets)
    assert text == base64.b64encode(octets).decode()
    assert FUNCTIONS["base64.decode", 1](text) == octets
    assert FUNCTIONS["base64.decode", 1](text.rstrip("=")) == octets


@given(st.one_of(st.text("aB1+/=\n", max_size=9), st.text(max_size=6)))
def test_any_text_decodes_or_is_an_error(text):
    assert type(FUNCTIONS["base64.decode", 1](text)) in (bytes, Fault)
