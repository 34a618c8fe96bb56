"""netmiko's `cisco_ios`: enable, show with TextFSM, 200 lines of configuration, saving, errors, files over scp."""

import logging
import re
from pathlib import Path

from netmiko import ConnectHandler, file_transfer
from netmiko.exceptions import ConfigInvalidException, NetmikoAuthenticationException
from netmiko.ssh_autodetect import SSH_MAPPER_DICT

from router import ADDRESS, ENABLE, FORCED_USER, HOSTNAME, INSIDE, KEY, OPERATOR, PASSWORD, RESULTS, SHELL_USER, expect

SERVER = dict(host=ADDRESS, conn_timeout=60, auth_timeout=60, banner_timeout=60, read_timeout_override=120)
BY_PASSWORD = dict(SERVER, username=SHELL_USER, password=PASSWORD, secret=ENABLE)
BY_KEY = dict(SERVER, username=FORCED_USER, use_keys=True, key_file=KEY, secret=ENABLE)


def session():
    """What netmiko's own tests for this device type do."""
    with ConnectHandler(device_type="cisco_ios", session_log=f"{RESULTS}/netmiko.log", **BY_PASSWORD) as router:
        expect(router.base_prompt == HOSTNAME, "the prompt is the hostname", router.base_prompt)
        expect(not router.check_enable_mode(), "the session begins unprivileged", router.find_prompt())
        router.enable()
        expect(router.check_enable_mode(), "enable asks for the secret and gives level 15", router.find_prompt())
        screens(router)
        configuration(router)
        mistakes(router)
        router.exit_enable_mode()
        expect(router.find_prompt() == f"{HOSTNAME}>", "disable gives the user's prompt", router.find_prompt())
        router.enable()


def screens(router):
    # What netmiko's autodetection looks for; the whole of it tries a dozen vendors first, with seconds of silence after each.
    detected = SSH_MAPPER_DICT["cisco_ios"]
    text = router.send_command(detected["cmd"])
    expect(any(re.search(pattern, text) for pattern in detected["search_patterns"]), "show version is detected as cisco_ios", text)
    version = router.send_command("show version", use_textfsm=True)
    expect(version[0]["hostname"] == HOSTNAME and version[0]["version"], "show version is parsed by TextFSM", version)
    brief = router.send_command("show ip interface brief", use_textfsm=True)
    inside = [row for row in brief if row["ip_address"] == INSIDE]
    expect(inside and inside[0]["status"] == inside[0]["proto"] == "up", "show ip interface brief is parsed by TextFSM", brief)
    long = "show ip access-lists FLOW10 | include permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255.*$"
    expect("permit ip 10.0.1.0" in router.send_command(long), "a command of 90 characters is echoed in one piece")


def configuration(router):
    lines = ["ip access-list extended MANY"]
    lines += [f"{10 * number} permit ip host 192.0.2.{number} any" for number in range(1, 201)]
    text = router.send_config_set(lines)
    expect("%" not in text, "send_config_set of 200 lines meets no error", text[-2000:])
    running = router.send_command("show running-config | section access-list extended MANY")
    expect(len(running.splitlines()) == 201, "all of them are in the running-config", running)
    router.send_config_set(["no ip access-list extended MANY"])
    for size in (20000, 20010):
        router.send_config_set([f"logging buffered {size}"])
        text = router.send_command("show run | inc logging buffer")
        expect(f"logging buffered {size}" in text, f"logging buffered {size} reads back", text)
    for _ in range(2):
        router.config_mode()
        expect(router.check_config_mode(), "configuration mode is entered")
        router.exit_config_mode()
        expect(not router.check_config_mode(), "configuration mode is left")
    router.send_config_set(["banner motd ^", "Authorised hands only", "Second line", "^"], cmd_verify=False)
    text = router.send_command("show running-config | begin ^banner motd")
    expect("banner motd ^C\nAuthorised hands only\nSecond line\n^C\n" in text, "a banner of two lines is taken", text)
    router.send_config_set(["no banner motd"])
    saved = router.save_config()
    expect("[OK]" in saved, "save_config is answered [OK]", saved)
    startup = router.send_command("show startup-config | include ^hostname")
    expect(startup.strip() == f"hostname {HOSTNAME}", "show startup-config has the hostname", startup)


def mistakes(router):
    pattern = r"% (?:Invalid|Incomplete|Ambiguous)"
    for line in ("frobnicate", "crypto isakmp policy", "i", "ip address 10.0.0.1 255.255.255.0"):
        try:
            text = router.send_config_set([line], error_pattern=pattern)
        except ConfigInvalidException:
            router.exit_config_mode()
            print(f"  '{line}' is noticed as an error")
        else:
            expect(False, f"'{line}' is noticed as an error", text)


def others():
    """Who else gets in, and who does not."""
    with ConnectHandler(device_type="cisco_xe", **BY_KEY) as router:
        router.enable()
        users = router.send_command("show users", use_textfsm=True)
        own = [row for row in users if row["user"] == FORCED_USER]
        expect(own, "the account with ForceCommand gets the console, with a key, and show users knows it", users)
    try:
        ConnectHandler(device_type="cisco_ios", **dict(BY_PASSWORD, password="wrong"))
        expect(False, "a wrong password is refused")
    except NetmikoAuthenticationException:
        print("  a wrong password is refused", flush=True)


def files():
    """Files to and from the router, with netmiko's own checks of place, space and MD5."""
    content = "".join(f"! line {number}\n" for number in range(5000))
    there, back = Path("/run/sent.cfg"), Path("/run/back.cfg")
    there.write_text(content)
    with ConnectHandler(device_type="cisco_ios", **dict(BY_PASSWORD, username=OPERATOR)) as router:
        expect(router.check_enable_mode(), "a user with privilege 15 need not enable", router.find_prompt())
        put = file_transfer(router, source_file=str(there), dest_file="sent.cfg", file_system="flash:", direction="put")
        expect(put == {"file_exists": True, "file_transferred": True, "file_verified": True}, "file_transfer puts a file", put)
        again = file_transfer(router, source_file=str(there), dest_file="sent.cfg", file_system="flash:", direction="put")
        expect(not again["file_transferred"] and again["file_verified"], "file_transfer sees that it is there", again)
        get = file_transfer(router, source_file="sent.cfg", dest_file=str(back), file_system="flash:", direction="get")
        expect(get["file_verified"] and back.read_text() == content, "file_transfer gets a file", get)
        router.send_config_set(["no ip scp server enable"])
        try:
            file_transfer(router, source_file=str(there), dest_file="more.cfg", file_system="flash:", direction="put")
            expect(False, "without ip scp server enable no file is taken")
        except Exception as error:  # paramiko, scp and netmiko have classes of their own for it
            expect("Administratively disabled" in str(error), "without ip scp server enable no file is taken", error)
        router.send_config_set(["ip scp server enable"])


logging.getLogger("paramiko").setLevel(logging.CRITICAL)
session()
others()
files()
