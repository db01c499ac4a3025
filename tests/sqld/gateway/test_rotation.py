"""Keys that change while people work, and streams that stay open."""

import http.client
import json

from tests.sqld.gateway.site import Site


def test_tokens_of_the_key_before_hold_for_a_while(site: Site) -> None:
    """Nobody notices a rotation but those who did not get a new token in time."""
    site.add_tenant("turning")
    old = site.token("turning")
    site.tenancy.rotate_key("turning", overlap_s=300)
    new = site.token("turning")

    during = [site.run("SELECT 1", token=token).status for token in (old, new)]
    site.ahead_s = 301.0
    after = [site.run("SELECT 1", token=token) for token in (old, new)]
    site.ahead_s = 0.0

    assert during == [200, 200]
    assert [answer.status for answer in after] == [401, 200]
    assert after[0].code == "token_unknown_key"


def test_a_rotation_without_overlap_ends_all_tokens_and_stops_nobody_else(site: Site) -> None:
    """What the gateway had made for sqld with the key before is not used again either."""
    site.add_tenant("leaked")
    old, api_key = site.token("leaked"), site.api_key("leaked").api_key
    before = [site.run("SELECT 1", token=credential).status for credential in (old, api_key)]

    site.tenancy.rotate_key("leaked", overlap_s=0)
    site.tenancy.close_old_keys()

    assert before == [200, 200]
    assert [site.run("SELECT 1", token=credential).status for credential in (old, api_key)] == [401, 200]


def test_a_stream_comes_through_as_it_is_sent(site: Site) -> None:
    """Not when a buffer is full: it is what wakes a client up."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    connection.request("GET", "/beta/listen?table=notes", headers={"Authorization": f"Bearer {site.standing['alpha']}"})
    stream = connection.getresponse()

    site.rows("INSERT INTO notes VALUES ('more')", site.standing["alpha"])
    lines: list[bytes] = []
    while not (lines and lines[-1].startswith(b"data:")):
        lines.append(stream.readline())
    connection.close()
    site.rows("DELETE FROM notes WHERE text = 'more'", site.standing["alpha"])

    assert stream.status == 200
    assert json.loads(lines[-1].removeprefix(b"data:"))
