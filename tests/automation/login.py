"""Logging in over SSH: levels by user, who is on which line and from where, lines that are cleared or idle for too long."""

import re
import time

import paramiko
from netmiko import ConnectHandler

from router import ADDRESS, ENABLE, HOSTNAME, OPERATOR, PASSWORD, SHELL_USER, expect

SERVER = dict(device_type="cisco_ios", host=ADDRESS, password=PASSWORD, secret=ENABLE, conn_timeout=60, auth_timeout=60,
              banner_timeout=60, read_timeout_override=120)
CLIENT = "10.0.1.10"
PATIENCE = 60


def line_of(router, user):
    """The number of the vty that `show users` has for a user."""
    users = router.send_command("show users")
    found = re.search(rf"^\W*\d+ vty (\d+) +{user} .*{re.escape(CLIENT)}", users, re.M)
    expect(found, f"show users has {user} with the client's address", users)
    return found[1]


def ends(router, why):
    """The router closes the channel."""
    until = time.monotonic() + PATIENCE
    while not router.remote_conn.closed and time.monotonic() < until:
        time.sleep(0.1)
    expect(router.remote_conn.closed, why)


def ssh():
    """An SSH connection of the user whom the router does not know."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(ADDRESS, username=SHELL_USER, password=PASSWORD, timeout=60, allow_agent=False, look_for_keys=False)
    return client


operator = ConnectHandler(username=OPERATOR, **SERVER)
expect(operator.find_prompt() == f"{HOSTNAME}#", "a user with privilege 15 begins at the privileged prompt")
other = ConnectHandler(username=SHELL_USER, **SERVER)
expect(other.find_prompt() == f"{HOSTNAME}>", "a user without a username line begins unprivileged")
expect("Current privilege level is 1\n" in other.send_command("show privilege") + "\n", "and at level 1")
operator.send_config_set([f"hostname {HOSTNAME}"])
log = operator.send_command("show logging | include SYS-5-CONFIG_I")
own = line_of(operator, OPERATOR)
expect(f"Configured from console by {OPERATOR} on vty{own} ({CLIENT})" in log, "the log says who configured, and from where", log)
line = line_of(operator, SHELL_USER)
operator.send_command(f"clear line vty {line}", expect_string=r"\[confirm\]")
operator.send_command("\n", expect_string=r"\[OK\]")
ends(other, "clear line ends the other session")
operator.send_config_set([f"line vty {line}", "exec-timeout 0 2"])
idle = ConnectHandler(username=SHELL_USER, **SERVER)
expect(line_of(operator, SHELL_USER) == line, "the line is free again")
ends(idle, "exec-timeout ends an idle session")
expect("TTY_EXPIRE_TIMER" in operator.send_command("show logging | include EXPIRE"), "and the log says so")
operator.send_config_set([f"line vty {line}", "no exec-timeout"])

operator.send_config_set([f"username {SHELL_USER} autocommand show users | include {SHELL_USER}"])
with ssh() as client:
    seen = client.invoke_shell().makefile().read().decode()
    expect(CLIENT in seen and f"{HOSTNAME}>" not in seen, "autocommand runs in the place of a prompt and ends the session", seen)
    _, output, _ = client.exec_command("show clock")
    seen = output.read().decode()
    expect(CLIENT in seen and "1 line was not run, from line 1 on: show clock" in seen, "and in the place of the command that is asked for", seen)
    expect(output.channel.recv_exit_status() == 1, "whose status says that it was not run")
operator.send_config_set([f"no username {SHELL_USER}"])

operator.send_config_set([f"access-list 77 deny host {CLIENT}", "access-list 77 permit any", f"line vty {line}", "access-class 77 in"])
with ssh() as client:
    seen = client.invoke_shell().makefile().read().decode()
    expect("% Connection refused" in seen and f"{HOSTNAME}>" not in seen, "access-class keeps the client off the line", seen)
log = operator.send_command("show logging | include LINE_REFUSED")
expect(f"Refused {SHELL_USER} on vty{line} ({CLIENT}): access-class 77" in log, "and the log says so", log)
operator.send_config_set([f"line vty {line}", "no access-class 77 in", "no access-list 77"])
operator.disconnect()
