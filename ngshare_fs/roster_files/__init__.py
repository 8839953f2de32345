"""Rosters as CSV files: their encoding, columns and rows, and what spreadsheets do to them."""
