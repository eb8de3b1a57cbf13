"""Detection and fusion as pure functions of what is known and the present time: no input, no output, no clock."""
