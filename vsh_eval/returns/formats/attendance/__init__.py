"""Attendance outside the school census: marks of sessions, DfE's year-to-date file, the codes."""
