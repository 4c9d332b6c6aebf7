"""What schemathesis has to be told to test the server: it does not know how NDJSON is sent."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context, value):
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")
