"""Teaches schemathesis to serialize NDJSON."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context, value):
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")
