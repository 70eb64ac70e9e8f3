#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Someone at a terminal, with an interactive shell on it: commands are typed, jobs
are stopped, moved between foreground and background, and interrupted. What the
shell had to say to each goes to standard output, and is the same in each run.
"""

import os
import pty
import signal
import sys

ROUNDS = 20
MARK = "mark"


class Terminal:
    """A shell on a pseudo terminal, and what it has written so far."""

    def __init__(self):
        self.seen = b""
        pid, self.master = pty.fork()
        if not pid:
            # As what a script runs in the background has it ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.environ["PS1"] = ""
            os.environ["TERM"] = "dumb"
            os.execlp("bash", "bash", "--norc", "--noediting", "-i")

    def press(self, keys):
        os.write(self.master, keys.encode())

    def await_text(self, text):
        """Read until that is there, and forget what came before it."""
        while text.encode() not in self.seen:
            self.seen += os.read(self.master, 4096)
        before, _, self.seen = self.seen.partition(text.encode())
        return before.decode()

    def run(self, command):
        """What a command writes, between two marks that the echo is not."""
        self.press(f"echo {MARK}''1; {command}; echo {MARK}''2\n")
        self.await_text(f"{MARK}1\r\n")
        return self.await_text(f"{MARK}2\r\n")

    def settle(self):
        """Whatever the shell says of jobs by itself has been said."""
        self.run("true")
        self.run("true")


def say(text):
    sys.stdout.write(text.replace("\r", ""))
    sys.stdout.flush()


def stopped_job(terminal, number):
    """A job is stopped by key, sent to the background, and stopped for reading."""
    terminal.press("cat\n")
    terminal.press(f"line {number}\n")
    terminal.await_text(f"line {number}\r\nline {number}\r\n")
    terminal.press("\x1a")
    terminal.await_text("Stopped")
    terminal.settle()
    say(terminal.run("jobs %1"))
    terminal.press("fg\n")
    terminal.await_text("cat\r\n")
    terminal.press(f"again {number}\n")
    terminal.await_text(f"again {number}\r\nagain {number}\r\n")
    terminal.press("\x04")
    terminal.settle()


def interrupted_job(terminal):
    """What is in the foreground is interrupted, and nothing else."""
    terminal.press("sleep 1000 &\n")
    terminal.settle()
    # By a shell that leaves signals alone: bash may lose one on its way to exec.
    terminal.press("sh -c \"echo re''ady; exec sleep 1000\"\n")
    terminal.await_text("ready\r\n")
    terminal.press("\x03")
    terminal.settle()
    say(terminal.run("jobs %1; kill %1"))
    terminal.press("wait\n")
    terminal.settle()


def main():
    terminal = Terminal()
    terminal.run("stty -echoctl")
    for number in range(ROUNDS):
        say(terminal.run(f"stty size; echo $(({number} * {number}))"))
        stopped_job(terminal, number)
        interrupted_job(terminal)
    terminal.press("exit\n")
    os.wait()


main()
