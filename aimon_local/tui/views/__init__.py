"""Screens as plain functions of what is seen: lines of text, no Textual."""
