"""From an alert to somebody who acts: intake, escalation, dispatch, channels, and the only SQL."""
