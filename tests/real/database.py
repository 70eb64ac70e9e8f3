#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Three processes that have a database of SQLite open, in write-ahead mode: its index
is memory that they share, and its locks are record locks. Two move money between
accounts, the third sums up what is there. Each transfer that was committed is told
on standard output, and has to be found in the end.

    database.py FILE
"""

import os
import sqlite3
import sys

ACCOUNTS = 10
TRANSFERS = 250


def connect(path):
    return sqlite3.connect(path, timeout=120, isolation_level=None)


def create(path):
    database = connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER)")
    database.execute("CREATE TABLE transfer (who TEXT, nr INTEGER, PRIMARY KEY (who, nr))")
    for account in range(ACCOUNTS):
        database.execute("INSERT INTO account VALUES (?, 0)", (account,))
    database.close()


def transfer(database, who, number):
    """In the middle of it the sum is wrong, for whoever could see that."""
    move = "UPDATE account SET money = money + ? WHERE id = ?"
    database.execute("BEGIN IMMEDIATE")
    database.execute(move, (-number, number % ACCOUNTS))
    sum(range(3000))
    database.execute(move, (number, (number * 7 + 1) % ACCOUNTS))
    database.execute("INSERT INTO transfer VALUES (?, ?)", (who, number))
    database.execute("COMMIT")


def write(path, who, tell):
    database = connect(path)
    for number in range(TRANSFERS):
        transfer(database, who, number)
        if tell:
            print(who, "moved", number, flush=True)
    database.close()


def audit(path):
    """Until all is there: the money is what it was, transfers come one by one."""
    database = connect(path)
    seen = 0
    while seen < 2 * TRANSFERS:
        database.execute("BEGIN")
        (money,) = database.execute("SELECT sum(money) FROM account").fetchone()
        rows = database.execute(
            "SELECT count(*), max(nr) + 1 FROM transfer GROUP BY who").fetchall()
        database.execute("COMMIT")
        if money or any(count != last for count, last in rows):
            sys.exit(f"the sum is {money}, transfers {rows}")
        seen = sum(count for count, _ in rows)
    database.close()


def child(function, *args):
    pid = os.fork()
    if not pid:
        function(*args)
        os._exit(0)
    return pid


def main():
    path = sys.argv[1]
    create(path)
    children = [child(write, path, "rival", False), child(audit, path)]
    write(path, "parent", True)
    for pid in children:
        _, status = os.waitpid(pid, 0)
        print("a child ended with", status)
    database = connect(path)
    print(database.execute("PRAGMA integrity_check").fetchone())
    print(database.execute("SELECT id, money FROM account").fetchall())
    print(database.execute("SELECT who, count(*) FROM transfer GROUP BY who").fetchall())


main()
