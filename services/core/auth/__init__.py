"""Who is asking: from a credential on a request to an `Actor`."""
