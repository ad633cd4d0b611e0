"""``consumer``: what it has beside its kind's commands."""


def test_the_id_that_another_system_knows(cli):
    created = cli.json("consumer", "create", "with-custom", "--custom-id", "4711")
    assert (created["username"], created["custom_id"]) == ("with-custom", "4711")
    header, *rows = cli("consumer", "list").stdout.splitlines()
    assert header.split() == ["USERNAME", "CUSTOM_ID", "TAGS", "ID"]
    assert any(row.split()[:2] == ["with-custom", "4711"] for row in rows)
