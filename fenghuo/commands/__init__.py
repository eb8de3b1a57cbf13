"""One file per command: reads the arguments, calls the room that does the work, shows the answer."""
