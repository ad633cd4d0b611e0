"""``service``: where it leads."""


def test_a_url_is_taken_apart(cli):
    created = cli.json("service", "create", "svc", "--url", "https://a.test/x", "--set", "retries=2")
    assert [created[name] for name in ("protocol", "host", "port", "path", "retries")] == [
        "https",
        "a.test",
        443,
        "/x",
        2,
    ]


def test_without_a_url_there_is_no_service(cli):
    assert "--url" in cli.fails("service", "create", "svc2", code=2)
