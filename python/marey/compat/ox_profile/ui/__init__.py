"""Interfaces for people."""
