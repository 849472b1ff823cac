"""A process that uses the server of a data folder until its standard input ends."""

import signal
import sys
from pathlib import Path

from infra.embedded import embedded_postgres


def main() -> None:
    # What was started in the background of a script takes no Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with embedded_postgres(Path(sys.argv[1])) as dsn:
        line = dsn
        while True:
            try:
                # Within the block too: Ctrl-C may come as soon as the line can be read.
                print(line, flush=True)
                sys.stdin.read()
            except KeyboardInterrupt:
                # As the service does, which drains first and leaves then.
                line = "interrupted"
            else:
                return


if __name__ == "__main__":
    main()
