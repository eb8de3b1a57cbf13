"""Devices and systems that are not there: they speak to a running platform as real ones do, for acceptance and the demo."""
