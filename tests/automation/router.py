"""The router under test, as the scenario describes it in the environment, and how a tool's file says what it saw."""

import os
import sys

ADDRESS = os.environ["ROUTER"]
# The account whose login shell is the console, and the one that ForceCommand gives it to.
SHELL_USER = os.environ["SHELL_USER"]
FORCED_USER = os.environ["FORCED_USER"]
# The account whose login shell is the console, for an operator of level 15.
OPERATOR = os.environ["OPERATOR"]
PASSWORD = os.environ["PASSWORD"]
ENABLE = os.environ["ENABLE"]
# The private key that opens all accounts.
KEY = os.environ["KEY"]
# The folder for logs.
RESULTS = os.environ["RESULTS"]
# What the lab's first router is called, and its addresses.
HOSTNAME = "R1"
OUTSIDE = "100.64.1.2"
INSIDE = "10.0.1.1"
PEER = "100.64.2.2"
PEER_INSIDE = "10.0.2.1"


def expect(holds, what, seen=""):
    """Says that `what` is so, or ends the program with what was seen instead."""
    if not holds:
        sys.exit(f"NOT SO: {what}\nseen:\n{seen}")
    print(f"  {what}", flush=True)
