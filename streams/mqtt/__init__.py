"""MQTT: sensors that publish to a broker."""
