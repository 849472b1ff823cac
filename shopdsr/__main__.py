"""The command line without its script: `python -m shopdsr`."""

from shopdsr.cli import main

if __name__ == "__main__":
    main(prog_name="shopdsr")
