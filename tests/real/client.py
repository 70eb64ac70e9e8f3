#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Who a redis server works for, from outside: stores one value after another, and
tells each that the server has acknowledged on standard output. When the connection
is lost it connects again, and what was acknowledged has to be there, all of it.

    client.py PORT FILE	the file is where standard output goes: what is in it
			has been acknowledged already
"""

import socket
import sys
import time

VALUES = 2000
AT_A_TIME = 500
PATIENCE = 200


class Connection:
    """To the server, by its own protocol."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.replies = self.socket.makefile("rb")

    def send(self, *words):
        request = f"*{len(words)}\r\n"
        for word in words:
            request += f"${len(word)}\r\n{word}\r\n"
        self.socket.sendall(request.encode())

    def line(self):
        line = self.replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection ended")
        return line[:-2].decode()

    def reply(self):
        line = self.line()
        kind, rest = line[0], line[1:]
        if kind == "*":
            return [self.reply() for _ in range(int(rest))]
        if kind == "$":
            return None if rest == "-1" else self.line()
        if kind == "-":
            sys.exit(line)
        return rest

    def ask(self, *words):
        self.send(*words)
        return self.reply()


def connect(port):
    """It is away for a while when it has been killed."""
    last = time.monotonic() + PATIENCE
    while True:
        try:
            connection = Connection(port)
            connection.ask("PING")
            return connection
        except OSError:
            if time.monotonic() > last:
                raise
            time.sleep(0.05)


def value_of(number):
    return f"value {number * number}"


def verify(connection, acknowledged):
    for first in range(0, acknowledged, AT_A_TIME):
        numbers = range(first, min(first + AT_A_TIME, acknowledged))
        found = connection.ask("MGET", *(f"key{number}" for number in numbers))
        for number, value in zip(numbers, found):
            if value != value_of(number):
                sys.exit(f"{number} is lost: {value}")


def store(connection, number):
    connection.ask("SET", f"key{number}", value_of(number))
    print("acknowledged", number, flush=True)


def main():
    port = int(sys.argv[1])
    with open(sys.argv[2]) as file:
        acknowledged = len(file.readlines())
    connection = None
    while acknowledged < VALUES:
        try:
            if not connection:
                connection = connect(port)
                verify(connection, acknowledged)
            store(connection, acknowledged)
            acknowledged += 1
        except OSError:
            connection = None
    connection = connection or connect(port)
    verify(connection, acknowledged)
    print("all there")
    connection.send("SHUTDOWN")


main()
