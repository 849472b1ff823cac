"""Serve the plain service on the port given as the only argument."""

# The packages of this file are in the lock of the benchmarks alone.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator"

import sys

import uvicorn

if __name__ == "__main__":
    uvicorn.run(
        "benchmarks.plain.app:app",
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        timeout_keep_alive=75,
        log_level="warning",
    )
