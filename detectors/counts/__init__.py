"""Counts of tickets, reports and cases by place and time, against what is usual there."""
