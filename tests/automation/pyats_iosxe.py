"""pyATS: unicon connects, executes and configures as for `iosxe`, and Genie parses every screen of ours that it has a parser for."""

import logging

from genie.testbed import load
from unicon.core.errors import SubCommandFailure

from router import ADDRESS, ENABLE, HOSTNAME, INSIDE, OUTSIDE, PASSWORD, PEER, RESULTS, SHELL_USER, expect

TESTBED = {
    "devices": {
        HOSTNAME: {
            "os": "iosxe",
            "type": "router",
            "credentials": {"default": {"username": SHELL_USER, "password": PASSWORD}, "enable": {"password": ENABLE}},
            "connections": {
                "cli": {
                    "protocol": "ssh",
                    "ip": ADDRESS,
                    "ssh_options": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
                    "settings": {"EXEC_TIMEOUT": 300, "CONFIG_TIMEOUT": 300},
                }
            },
        }
    }
}


def at(tree, *path):
    """What is in a parsed screen at a path, or nothing."""
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def refused(send, line):
    """unicon notices that the router does not take a line."""
    try:
        send(line)
    except SubCommandFailure:
        expect(True, f"'{line}' is noticed as an error")
    else:
        expect(False, f"'{line}' is noticed as an error")


# The command, a path into what the parser makes of it, and what must be there (None: anything).
SCREENS = [
    ("show version", ("version", "hostname"), HOSTNAME),
    ("show clock", ("timezone",), "UTC"),
    ("show privilege", ("current_privilege_level",), 15),
    ("show inventory", ("main",), None),
    ("show users", ("line",), None),
    ("show logging", ("logs",), None),
    ("show hosts", (), None),
    ("show arp", ("interfaces", "GigabitEthernet0/1"), None),
    ("show ip arp", ("interfaces", "GigabitEthernet0/0"), None),
    ("show interfaces", ("GigabitEthernet0/0", "oper_status"), "up"),
    ("show interfaces GigabitEthernet0/1", ("GigabitEthernet0/1", "description"), "towards the client"),
    ("show interfaces description", ("interfaces", "GigabitEthernet0/1", "description"), "towards the client"),
    ("show ip interface", ("GigabitEthernet0/0", "ipv4", f"{OUTSIDE}/24", "prefix_length"), "24"),
    ("show ip interface brief", ("interface", "GigabitEthernet0/1", "ip_address"), INSIDE),
    ("show ip route", ("vrf", "default", "address_family", "ipv4", "routes", "0.0.0.0/0"), None),
    ("show ip route summary", ("vrf", "default"), None),
    ("show access-lists", ("FLOW10", "aces", "10"), None),
    ("show ip access-lists", ("FLOW10", "aces", "10"), None),
    ("show processes cpu", ("five_sec_cpu_total",), None),
    ("show memory statistics", ("name", "processor", "total"), None),
    ("show crypto isakmp sa", ("isakmp_stats",), None),
    ("show crypto isakmp sa detail", (), None),
    ("show crypto ipsec sa", ("interface", "GigabitEthernet0/0"), None),
    ("show crypto ipsec sa detail", ("interface", "GigabitEthernet0/0"), None),
    (f"show crypto ipsec sa peer {PEER}", ("interface", "GigabitEthernet0/0"), None),
    ("show crypto ipsec sa interface GigabitEthernet0/0", ("interface", "GigabitEthernet0/0"), None),
    ("show crypto session", ("interface", "GigabitEthernet0/0"), None),
    ("show crypto session detail", ("interface", "GigabitEthernet0/0"), None),
    (f"show crypto session remote {PEER} detail", ("interfaces", "GigabitEthernet0/0", "session_status"), "UP-ACTIVE"),
    ("show crypto session | count UP-ACTIVE", (), None),
    ("show crypto map", (), None),
    ("show running-config | section ^interface", (), None),
    ("show archive log config all", ("idx", 1, "logged_command"), "logging enable"),
    ("show archive log config statistics", (), None),
    ("show archive config differences", (), None),
]

router = load(TESTBED).devices[HOSTNAME]
router.connect(logfile=f"{RESULTS}/unicon.log", log_stdout=False, learn_hostname=True)
logging.getLogger().setLevel(logging.ERROR)
expect(router.is_connected(), "unicon connects, with its questions and settings for iosxe")
text = router.execute("show crypto isakmp sa")
expect("QM_IDLE" in text, "execute answers", text)
refused(router.execute, "show frobnicate")
router.configure(["archive", "log config", "logging enable"])
router.configure(["crypto isakmp policy 66", "encr aes 256", "interface Loopback66", "description by pyATS"])
text = router.execute("show running-config | include by pyATS")
expect("description by pyATS" in text, "configure configures", text)
refused(router.configure, "crypto isakmp policy 0")
router.configure(["no crypto isakmp policy 66", "no interface Loopback66"])
text = router.copy(source="running-config", dest="startup-config")
expect("[OK]" in str(text), "copy running-config startup-config is done", text)

failures = []
for command, path, wanted in SCREENS:
    text = router.execute(command)
    try:
        parsed = router.parse(command, output=text)
    except Exception as error:  # Genie has no common class for what may go wrong
        failures.append(f"'{command}': {type(error).__name__} {error}\n{text}")
        continue
    found = at(parsed, *path)
    if found is None or found == {} or (wanted is not None and found != wanted):
        failures.append(f"'{command}': {path} is {found}\n{parsed}")
    else:
        print(f"  '{command}' is parsed", flush=True)
router.disconnect()
expect(not failures, "Genie parses all screens", "\n\n".join(failures))
