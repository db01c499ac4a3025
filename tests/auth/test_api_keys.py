"""API keys: secrets for programs."""

import re
import zlib

import pytest

from auth.api_keys import check_shape, digest, looks_like_api_key, new_api_key
from auth.token_errors import MalformedTokenError


def test_a_new_key_is_unlike_every_other() -> None:
    """And whole: `td_live_`, 32 characters and a checksum."""
    keys = {new_api_key() for _ in range(100)}

    assert len(keys) == 100
    for key in keys:
        assert re.fullmatch(r"td_live_[0-9A-Za-z]{38}", key)
        assert looks_like_api_key(key)
        check_shape(key)


def test_the_checksum_is_of_the_random_part() -> None:
    """CRC-32 in base 62, with the most significant digit first."""
    key = new_api_key()

    number = 0
    for digit in key[-6:]:
        number = number * 62 + int(digit, 36) + (26 if digit.islower() else 0)

    assert number == zlib.crc32(key[8:-6].encode())


def test_a_mistyped_key_is_known_for_one() -> None:
    """Wherever the slip is: nobody has to be asked."""
    key = new_api_key()
    slips = [key[:place] + ("A" if key[place] != "A" else "B") + key[place + 1 :] for place in range(len(key))]

    for slip in [*slips, key[:-1], key + "A", key + "\n", "", "td_live_"]:
        with pytest.raises(MalformedTokenError) as raised:
            check_shape(slip)
        assert not slip or slip not in str(raised.value)


def test_a_digest_tells_nothing_of_the_key() -> None:
    """It is the SHA-256, always the same for the same key."""
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
