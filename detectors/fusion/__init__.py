"""Findings of all detectors become alerts: levels, reasons, sentences, what is held back and why."""
