"""Files of 12345 orders into a gateway: the table, the map from its columns to our fields, the sending."""
