import pytest

from aimon_local.config.load import load, parse
from aimon_local.config.schema import Config, GatewaySection, LimitsSection
from aimon_local.errors import ConfigError


def test_what_is_given_is_set_and_the_rest_is_not():
    config = parse('[gateway]\nproxy_port = 0\nallowed_hosts = ["lab.test"]\n\n[limits]\nhead_seconds = 5\n')
    assert config == Config(GatewaySection(proxy_port=0, allowed_hosts=("lab.test",)), LimitsSection(head_seconds=5.0))
    assert isinstance(config.limits.head_seconds, float)
    assert parse("") == Config()


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("[gateway]\n# x\nproxyport = 1\n", "a.toml:3: unknown key 'proxyport' in [gateway]", "'proxy_port'"),
        ("[limits]\nproxy_port = 1\n", "a.toml:2: unknown key 'proxy_port' in [limits]", "known: head_bytes"),
        ("\n[gatway]\n", "a.toml:2: unknown section 'gatway'", "'gateway'"),
        ("proxy_port = 8000\n", "a.toml:1: unknown section 'proxy_port'", "known: gateway, limits"),
        ("gateway = 5\n", "a.toml:1: gateway must be a section", ""),
        ("[gateway]\nhttp = 'h2'\n", "a.toml:2: http must be one of auto, h11", "scanner"),
        ("[limits]\nfields=50\n[gateway]\n'empty' = 1\n", "a.toml:4: empty must be true or false", "demo"),
        ("gateway = {proxy_port = -1}\n", "a.toml: proxy_port must be between", "proxy"),
        ("[gateway]\nx = \n", "a.toml: not valid TOML: Invalid value (at line 2, column 5)", "TOML"),
        ("[gateway]\nhost='a'\nhost='b'\n", "a.toml: not valid TOML: Cannot overwrite a value", "TOML"),
    ],
)
def test_errors_name_the_place_and_the_nearest_key(text, says, hint):
    with pytest.raises(ConfigError) as refused:
        parse(text, "a.toml")
    assert says in str(refused.value)
    assert hint in refused.value.hint


def test_a_file(tmp_path):
    path = tmp_path / "aimon.toml"
    with pytest.raises(ConfigError, match="can't be read"):
        load(path)
    path.write_bytes(b"[gateway]\nhost = '\xff'\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(path)
    path.write_text("[gateway]\nhost = '::1'\n")
    assert load(path).gateway.host == "::1"
    path.write_text("[gateway]\nhots = '::1'\n")
    with pytest.raises(ConfigError, match=r"aimon\.toml:2: unknown key 'hots'"):
        load(path)
