"""The words of Fenghuo as frozen types and pure functions: no input, no output, no clock of its own."""
