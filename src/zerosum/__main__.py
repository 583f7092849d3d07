"""`python -m zerosum` is the command `zerosum`."""

from zerosum.cli import main

main()
