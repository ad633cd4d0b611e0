"""LiteLLM's proxy configuration, and its keys and budgets, as a document of ours; what is lost is said."""

from aimon_local.exports.litellm.keys import MASTER
from aimon_local.exports.litellm.read import read

__all__ = ["MASTER", "read"]
