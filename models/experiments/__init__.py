"""Decisions by evidence: experiments within a publication, and policies judged from logs."""
