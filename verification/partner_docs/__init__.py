"""What a partner reads: the OpenAPI document, made from the doors themselves, and the pages around it."""
