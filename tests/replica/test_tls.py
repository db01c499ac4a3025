"""TLS to the primary, push and pull alike: whose certificates are believed, and what is said of the others.

A real sqld stands behind a TLS end; the certificates are of an authority that the tests make.
"""

import datetime as dt
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from replica import InputError, OfflineError, Replica, ReplicaError, Stage, UnreachableError, UntrustedError
from replica.pull import pull
from replica.trust import trusting_nobody
from sqld import Server
from tests.faults.tls_end import TlsEnd
from tests.replica.team import Item, Truth, add, open_member, synced

_HOST: Final = "127.0.0.1"
_DAY: Final = dt.timedelta(days=1)

OpenEnd = Callable[[trustme.LeafCert], TlsEnd]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the certificate of the team's primary."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """Its certificate, as a user has it."""
    return write_certificate(authority, tmp_path / "authority.pem")


@pytest.fixture
def open_end(primary_server: Server) -> Iterator[OpenEnd]:
    """Puts a TLS end with a certificate in front of the primary."""
    with ExitStack() as opened:
        yield lambda certificate: opened.enter_context(TlsEnd(primary_server.port, certificate))


@pytest.fixture
def good(open_end: OpenEnd, authority: trustme.CA) -> TlsEnd:
    """An end whose certificate is as it should be."""
    return open_end(authority.issue_cert(_HOST, "localhost"))


def write_certificate(authority: trustme.CA, path: Path) -> Path:
    """The certificate of an authority as a file."""
    authority.cert_pem.write_to_path(str(path))
    return path


def bad_certificate(kind: str, authority: trustme.CA) -> trustme.LeafCert:
    """One that is wrong in a way."""
    now = dt.datetime.now(dt.UTC)
    match kind:
        case "expired":
            return authority.issue_cert(_HOST, not_before=now - 9 * _DAY, not_after=now - _DAY)
        case "early":
            return authority.issue_cert(_HOST, not_before=now + _DAY, not_after=now + 9 * _DAY)
        case "name":
            return authority.issue_cert("other.example", "127.0.0.2")
        case "self-signed":
            return self_signed(now)
        case _:
            return trustme.CA().issue_cert(_HOST)


def self_signed(now: dt.datetime) -> trustme.LeafCert:
    """A certificate that nobody but its owner vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _HOST)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - _DAY, now + _DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(_HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return trustme.LeafCert(pem, certificate.public_bytes(Encoding.PEM), [])


@dataclass(frozen=True, slots=True)
class _BadEnd:
    """An end whose certificate proves nothing, and what should be said of it."""

    end: TlsEnd
    told: str
    hint: str

    def is_told_by(self, error: ReplicaError | None) -> bool:
        """Whether an error says what is wrong, in one line, and what to do."""
        line = f"the certificate of the primary at {self.end.url()} is not trusted: {self.told}"
        return isinstance(error, UntrustedError) and str(error) == line and self.hint in error.hint


@pytest.fixture(
    params=[
        ("expired", "it has expired", "renewed"),
        ("early", "it is not valid yet", "clock"),
        ("name", "it is for another name", "the name in the URL"),
        ("self-signed", "no authority that is trusted here has signed it", "`ca_file`"),
        ("other authority", "no authority that is trusted here has signed it", "`ca_file`"),
    ],
    ids=lambda param: param[0],
)
def bad(request: pytest.FixtureRequest, open_end: OpenEnd, authority: trustme.CA) -> _BadEnd:
    """Each way in which a certificate can be wrong."""
    kind, told, hint = request.param
    return _BadEnd(open_end(bad_certificate(kind, authority)), told, hint)


# -- a certificate of the user's own authority


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("scheme", ["https", "libsql", "wss"])
def test_a_primary_with_a_certificate_of_our_authority_is_pushed_to_and_pulled_from(
    good: TlsEnd, ca_file: Path, truth: Truth, tmp_path: Path, host: str, scheme: str
) -> None:
    """By every form that its URL may have, and by name and number."""
    with open_member(tmp_path / "laptop", good.url(host, scheme), ca_file=ca_file) as laptop:
        add(laptop, "Milk")
        assert synced(laptop).pushed == 1
        assert truth.run("SELECT title FROM items") == [["Milk"]]

    with open_member(tmp_path / "desktop", good.url(host, scheme), machine="desktop0", ca_file=ca_file) as desktop:
        assert synced(desktop).pulled == 1
        assert [item.title for item in desktop.select(Item)] == ["Milk"]


def test_all_that_speaks_to_the_primary_believes_our_authority(good: TlsEnd, ca_file: Path, tmp_path: Path) -> None:
    """Checks, writes that are online, and mode remote, too."""
    with open_member(tmp_path / "laptop", good.url(), ca_file=ca_file) as laptop:
        synced(laptop)
        with laptop.transaction(writes="online") as tx:
            tx.insert(Item(title="Milk"))
        assert [check.name for check in laptop.checks() if not check.ok] == []

    with open_member(tmp_path / "container", good.url(), ca_file=ca_file, mode="remote") as container:
        assert [item.title for item in container.select(Item)] == ["Milk"]


def test_an_own_authority_takes_the_place_of_all_others(
    good: TlsEnd, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever says whom to believe means it; what the environment says for other programs does not count."""
    other = write_certificate(trustme.CA(), tmp_path / "other.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))

    with open_member(tmp_path / "laptop", good.url(), ca_file=other) as laptop:
        assert isinstance(laptop.sync().error, UntrustedError)
    with open_member(tmp_path / "desktop", good.url()) as desktop:
        assert isinstance(desktop.sync().error, UntrustedError)


# -- certificates that prove nothing


def test_a_certificate_that_proves_nothing_stops_the_sync_and_nothing_else(
    bad: _BadEnd, good: TlsEnd, ca_file: Path, tmp_path: Path
) -> None:
    """One line says what is wrong with it and what to do; writes queue, and go out once it is mended."""
    with open_member(tmp_path / "laptop", bad.end.url(), ca_file=ca_file, token=lambda: "s3cret") as laptop:
        add(laptop, "Milk")

        report = laptop.sync()

        assert bad.is_told_by(report.error)
        assert (report.stage, report.pending, bad.end.connections) == (Stage.GREET, 1, 0)
        assert [item.title for item in laptop.select(Item)] == ["Milk"]
    with open_member(tmp_path / "laptop", good.url(), ca_file=ca_file) as laptop:
        assert synced(laptop).pushed == 1


def test_a_pull_refuses_a_certificate_in_the_same_words(
    bad: _BadEnd, good: TlsEnd, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a TLS of its own, and may meet a certificate that the push before it did not."""
    with open_member(tmp_path / "laptop", good.url(), ca_file=ca_file) as laptop:
        add(laptop, "Milk")
        with monkeypatch.context() as patched:
            patched.setattr("replica.base.pull", from_another(bad.end.url()))
            report = laptop.sync()

        assert bad.is_told_by(report.error)
        assert (report.stage, report.pushed, bad.end.connections) == (Stage.PULL, 1, 0)
        assert synced(laptop).pushed == 0


def from_another(url: str, ca_file: Path | None = None) -> Callable[..., None]:
    """The pull, from another address than the push."""

    def pull_from_it(directory: Path, _url: str, token: str | None, **options: Any) -> None:  # passed on as they came
        pull(directory, url, token, **{**options, "ca_file": ca_file or options["ca_file"]})

    return pull_from_it


def test_the_certificate_of_an_authority_is_none_for_a_primary(
    open_end: OpenEnd, good: TlsEnd, tmp_path: Path, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a short recipe with openssl makes them: nothing can be fetched with it, and we say what to do instead."""
    itself = trustme.CA()
    own = write_certificate(itself, tmp_path / "own.pem")
    end = open_end(_AuthorityAsLeaf(itself))
    with open_member(tmp_path / "laptop", good.url(), ca_file=ca_file) as laptop, monkeypatch.context() as patched:
        add(laptop, "Milk")
        patched.setattr("replica.base.pull", from_another(end.url(), own))
        report = laptop.sync()

    assert isinstance(report.error, UntrustedError)
    assert "it is the certificate of an authority itself" in str(report.error)


class _AuthorityAsLeaf(trustme.LeafCert):
    """An authority's own certificate in the place of one that it signed."""

    def __init__(self, authority: trustme.CA) -> None:
        super().__init__(authority.private_key_pem.bytes(), authority.cert_pem.bytes(), [])


def test_an_online_write_to_a_primary_that_proves_nothing_is_not_made(
    open_end: OpenEnd, ca_file: Path, tmp_path: Path
) -> None:
    """Nor is it queued; and the reason is told."""
    end = open_end(trustme.CA().issue_cert(_HOST))
    with open_member(tmp_path / "laptop", end.url(), ca_file=ca_file) as laptop:
        with pytest.raises(OfflineError, match="no authority that is trusted here has signed it"):
            write_online(laptop)

        assert laptop.pending() == []


def write_online(member: Replica) -> None:
    """Insert an item at the primary at once."""
    with member.transaction(writes="online") as tx:
        tx.insert(Item(title="Milk"))


def test_mode_remote_says_what_to_do_about_a_certificate(open_end: OpenEnd, ca_file: Path, tmp_path: Path) -> None:
    """And that nothing was written: nothing is kept here that could be safe."""
    end = open_end(trustme.CA().issue_cert(_HOST))

    with pytest.raises(UntrustedError) as caught:
        open_member(tmp_path / "container", end.url(), ca_file=ca_file, mode="remote")

    assert caught.value.hint.startswith("nothing was written; ")
    assert "`ca_file`" in caught.value.hint


def test_checks_tell_of_a_certificate(open_end: OpenEnd, ca_file: Path, tmp_path: Path) -> None:
    """With the line that a sync would have."""
    end = open_end(trustme.CA().issue_cert(_HOST))
    with open_member(tmp_path / "laptop", end.url(), ca_file=ca_file) as laptop:
        (check,) = [check for check in laptop.checks() if check.name == "primary"]

    assert not check.ok
    assert "no authority that is trusted here has signed it" in check.detail
    assert "`ca_file`" in check.hint


# -- no TLS at all, and files that are none


def test_plain_http_where_tls_was_meant_is_told_and_damages_nothing(
    primary_server: Server, good: TlsEnd, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client library calls that a corrupt message; the copy of the primary is as good as before."""
    plain = primary_server.url.replace("http:", "https:")
    with open_member(tmp_path / "laptop", good.url(), ca_file=ca_file) as laptop:
        synced(laptop)
        add(laptop, "Milk")
        before = (tmp_path / "laptop" / "replica.db").stat().st_ino
        with monkeypatch.context() as patched:
            patched.setattr("replica.base.pull", from_another(plain))
            report = laptop.sync()

        assert type(report.error) is UnreachableError
        assert (tmp_path / "laptop" / "replica.db").stat().st_ino == before
        synced(laptop)
        assert (tmp_path / "laptop" / "replica.db").stat().st_ino == before

    with open_member(tmp_path / "desktop", plain, ca_file=ca_file) as desktop:
        error = desktop.sync().error
    assert type(error) is UnreachableError
    assert "does not speak TLS as it should" in str(error)
    assert "should begin with http" in error.hint


@pytest.mark.parametrize("content", [None, b"", b"no certificate", "folder"])
def test_a_file_without_certificates_is_told_of_by_the_sync(
    good: TlsEnd, tmp_path: Path, content: bytes | str | None
) -> None:
    """Reads and writes go on; nobody is believed in its place."""
    ca_file = tmp_path / "authority.pem"
    if isinstance(content, bytes):
        ca_file.write_bytes(content)
    elif content is not None:
        ca_file.mkdir()
    with open_member(tmp_path / "laptop", good.url(), ca_file=ca_file) as laptop:
        add(laptop, "Milk")

        report = laptop.sync()

        assert isinstance(report.error, InputError)
        assert str(ca_file) in str(report.error)
        assert (report.pending, good.connections) == (1, 0)


@pytest.mark.parametrize("name", ["a\0b", "\udce9", "a" * 5000])
def test_a_name_that_no_file_can_have_is_no_crash(good: TlsEnd, tmp_path: Path, name: str) -> None:
    """It may come from a config that somebody wrote by hand."""
    with open_member(tmp_path / "laptop", good.url(), ca_file=tmp_path / name) as laptop:
        assert isinstance(laptop.sync().error, InputError)


def test_a_primary_of_this_machine_needs_no_certificates(primary_server: Server, tmp_path: Path) -> None:
    """Over plain http the file is not even read, neither by the push nor by the pull."""
    with open_member(tmp_path / "laptop", primary_server.url, ca_file=tmp_path / "not-there.pem") as laptop:
        add(laptop, "Milk")
        assert synced(laptop).pushed == 1


def test_a_pull_needs_no_certificates_of_the_system(
    primary_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small container has none, and the client library would not start without."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "not-there.pem"))
    with open_member(tmp_path / "laptop", primary_server.url) as laptop:
        synced(laptop)


def test_who_speaks_no_tls_believes_nobody() -> None:
    """Should a connection of plain http ever come to TLS, it is refused rather than let through."""
    context = trusting_nobody()

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.get_ca_certs() == []
