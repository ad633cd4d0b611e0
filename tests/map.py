"""Modules that another test file than their mirror proves: module → test file, with the reason."""

TESTED_BY: dict[str, str] = {}
