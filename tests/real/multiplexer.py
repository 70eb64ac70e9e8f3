#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
A server of tmux with a shell in each of two panes, and its clients: something is
typed in a pane, and what is on that then goes to standard output.

    multiplexer.py DIRECTORY
"""

import os
import subprocess
import sys
import time

PANES = 2
ROUNDS = 8
SERVER = ["tmux", "-L", "real", "-f", "/dev/null"]


def tmux(*words):
    return subprocess.run(SERVER + list(words), check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout


def start():
    """The server stays a child of ours, and has to be there for its clients."""
    server = subprocess.Popen(SERVER + ["-D"], stdin=subprocess.DEVNULL)
    path = f"{os.environ['TMUX_TMPDIR']}/tmux-{os.getuid()}/real"
    while not os.path.exists(path):
        time.sleep(0.05)
    tmux("new-session", "-d", "-s", "main", "-x", "80", "-y", "60", "sh")
    for _ in range(1, PANES):
        tmux("split-window", "-t", "main", "sh")
    return server


def visit(pane, number):
    """The shell says itself when it has come to the end of the line.

    The server hears that and the result by different ways, in whatever order.
    """
    tmux("send-keys", "-t", f"main.{pane}",
         f"n=$((${{n:-{pane + 1}}} * 3 % 1009)); echo re''sult {number} $n $(stty size); "
         "tmux wait-for -S ready", "Enter")
    tmux("wait-for", "ready")
    while True:
        for line in tmux("capture-pane", "-p", "-t", f"main.{pane}").splitlines():
            if line.startswith(f"result {number} "):
                return line


def main():
    os.environ["TMUX_TMPDIR"] = sys.argv[1]
    os.environ["TERM"] = "screen"
    os.makedirs(sys.argv[1])
    server = start()
    for number in range(ROUNDS):
        for pane in range(PANES):
            print(pane, visit(pane, number), flush=True)
    print(tmux("list-panes", "-t", "main", "-F", "#{pane_index} #{pane_current_command}"))
    tmux("kill-server")
    print("the server ended with", server.wait())


main()
