"""What a text is about: dictionary, critical phrases, terms that rise."""
