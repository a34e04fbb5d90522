"""`python -m apmdm` is the command line."""

from apmdm.cli import main

if __name__ == "__main__":
    main()
