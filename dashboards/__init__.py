"""The web console: pages, API and live events for those who answer; reads and acts through `responders.store`."""
