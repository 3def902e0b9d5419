"""The options of `labeljob portal` about who reaches it."""

import pytest

from groundtruth.errors import GroundTruthError
from labeljob.actions.portal_access import (
    read_access_settings,
    read_oidc_settings,
    warn_of_reach,
)
from labeljob.commands.options import takes_options
from labeljob.commands.portal_access import AccessOptions
from labeljob.portal.sessions import IDLE_LIMIT
from tests.runner.command_line import lines_of, run

PUBLIC = ("--public-url", "https://label.example.org", "--behind-proxy")
OIDC = ("--oidc-issuer", "https://login.example.org", "--oidc-client-id", "labeljob")


def read(*arguments, environ=None, longest_task=0.0):
    """The result of a command with these options alone, and the settings it made of them."""
    made = []

    @takes_options
    def command(options: AccessOptions) -> None:
        settings = read_access_settings(options, longest_task=longest_task)
        made.extend([settings, read_oidc_settings(options, environ or {})])
        warn_of_reach(settings)

    return run(command, *arguments), made


def test_by_itself_it_is_for_this_machine_alone():
    result, (settings, oidc) = read()
    assert settings.is_local
    assert settings.trusted_proxies == ()
    assert oidc is None
    assert result.stderr == ""


def test_behind_a_proxy_with_tls():
    result, (settings, _) = read(*PUBLIC)
    assert settings.is_secure
    assert not settings.is_local
    assert settings.trusted_proxies == ("127.0.0.1",)
    assert result.stderr == ""


def test_a_proxy_elsewhere_is_named():
    _, (settings, _) = read(*PUBLIC, "--trusted-proxy", "10.0.0.0/24", "--trusted-proxy", "::1")
    assert settings.trusted_proxies == ("10.0.0.0/24", "::1")


def test_a_network_without_tls_is_a_warning():
    result, _ = read("--host", "0.0.0.0")
    assert result.exit_code == 0
    (line,) = lines_of(result.stderr)
    assert line.startswith("warning: the portal listens on 0.0.0.0 without TLS")
    assert "--behind-proxy" in line


@pytest.mark.parametrize(("longest", "limit"), [(300.0, IDLE_LIMIT), (28_800.0, 28_860.0)])
def test_a_session_lasts_as_long_as_a_task(longest, limit):
    _, (settings, _) = read(longest_task=longest)
    assert settings.idle_limit == limit


def test_an_identity_provider_with_its_secret(tmp_path):
    _, (_, oidc) = read(*OIDC, environ={"LABELJOB_OIDC_SECRET": "of the variable"})
    assert (oidc.issuer, oidc.client_id) == ("https://login.example.org", "labeljob")
    assert oidc.secret == "of the variable"
    file = tmp_path / "client-secret.txt"
    file.write_text("of the file\n")
    _, (_, oidc) = read(*OIDC, "--oidc-secret-file", file)
    assert oidc.secret == "of the file"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--behind-proxy"], "say --public-url"),
        (["--trusted-proxy", "10.0.0.1"], "--behind-proxy"),
        (["--public-url", "label.example.org"], "is not like https://"),
        ([*PUBLIC, "--trusted-proxy", "proxy"], "not an address or a network"),
        (["--oidc-client-id", "labeljob"], "--oidc-issuer"),
        (["--oidc-issuer", "https://login.example.org"], "--oidc-client-id"),
        ([*OIDC], "LABELJOB_OIDC_SECRET"),
        (["--oidc-issuer", "http://login.example.org"], "is not like https://"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_options_that_contradict_each_other_are_one_line(arguments, text):
    result, made = read(*arguments)
    assert result.exit_code == 1
    (line,) = lines_of(result.stderr)
    assert line.startswith("error: ")
    assert text in line
    assert len(made) < 2


def test_a_secret_file_that_is_no_text(tmp_path):
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfe")
    result, _ = read(*OIDC, "--oidc-secret-file", file)
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr


def test_errors_are_ones_that_the_command_ends_with():
    with pytest.raises(GroundTruthError):
        read_access_settings(AccessOptions(behind_proxy=True))
