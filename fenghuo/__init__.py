"""The composition root: command line, embedded services, demo county; the only place where everything meets."""
