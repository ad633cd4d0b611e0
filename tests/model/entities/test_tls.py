import base64
import hashlib

from aimon_local.model.catalog import Catalog
from aimon_local.model.entities import SCHEMAS
from aimon_local.model.violation import Violation
from tests.support.admin_stories import NOW, CountingIds

DER = bytes([0x30, 3, 1, 2, 3])


def pem(label):
    return f"-----BEGIN {label}-----\n{base64.b64encode(DER).decode()}\n-----END {label}-----\n"


class World:
    def __init__(self):
        self.catalog, self.ids = Catalog(SCHEMAS, {}), CountingIds()

    def add(self, kind, **data):
        plan = self.catalog.insert(kind, data, NOW, self.ids)
        if isinstance(plan, Violation):
            return plan.body["fields"]
        self.catalog.apply(plan.changes)
        return plan.entity


def test_a_certificate_has_a_key_and_a_second_pair_is_whole():
    world = World()
    made = world.add("certificates", cert=pem("CERTIFICATE"), key=pem("PRIVATE KEY"))
    assert made["cert_alt"] is None
    half = world.add("certificates", cert=pem("CERTIFICATE"), key=pem("PRIVATE KEY"), key_alt=pem("PRIVATE KEY"))
    assert half == {"@entity": ["all or none of these fields must be set: 'cert_alt', 'key_alt'"]}
    assert world.add("certificates", cert="x", key="y").keys() == {"cert", "key"}


def test_a_certificate_in_use_stays():
    world = World()
    made = world.add("certificates", cert=pem("CERTIFICATE"), key=pem("PRIVATE KEY"))
    assert world.add("snis", name="*.a.test", certificate={"id": made["id"]})["name"] == "*.a.test"
    assert world.catalog.delete("certificates", made["id"]).body["fields"] == {"@referenced_by": "snis"}


def test_an_authority_shows_its_digest():
    made = World().add("ca_certificates", cert=pem("CERTIFICATE"))
    assert made["cert_digest"] == hashlib.sha256(DER).hexdigest()
