"""ntc-templates (platform `cisco_ios`): parses every screen of ours for which there is a template, and looks for facts in it.

The templates are strict: most of them end with an error at the first line that they do not know.
"""

import re
from pathlib import Path

import ntc_templates
from netmiko import ConnectHandler
from ntc_templates.parse import parse_output

from router import ADDRESS, ENABLE, HOSTNAME, INSIDE, OUTSIDE, PASSWORD, PEER, SHELL_USER, expect


def has(**wanted):
    """A row in which these fields have these values."""
    return lambda rows: any(all(str(row[key]) == value for key, value in wanted.items()) for row in rows)


def filled(*keys):
    """A row in which none of these fields is empty."""
    return lambda rows: any(all(row[key] for key in keys) for row in rows)


def both(*checks):
    return lambda rows: all(check(rows) for check in checks)


SCREENS = {
    "show version": both(has(hostname=HOSTNAME, config_register="0x2102"),
                         filled("software_image", "version", "release", "running_image", "hardware", "serial", "uptime", "restarted")),
    "dir": has(file_system="flash:/"),
    "show aliases": both(has(mode="Exec mode", alias="s", command="show"), has(alias="w", command="where")),
    "show archive": has(state="not enabled"),
    "show clock": filled("time", "timezone", "dayweek", "month", "day", "year"),
    "show users": both(has(user=SHELL_USER, hosts="idle", location="10.0.1.10"), filled("line", "idle")),
    "show logging": has(facility="SYS", mnemonic="RESTART"),
    "show inventory": filled("name", "descr", "pid", "vid", "sn"),
    "show arp": has(address="10.0.1.10", type="ARPA", interface="GigabitEthernet0/1"),
    "show ip arp": both(has(ip_address=INSIDE, age="-", interface="GigabitEthernet0/1"), has(ip_address="100.64.1.1", type="ARPA")),
    "show interfaces": both(has(interface="GigabitEthernet0/0", link_status="up", protocol_status="up", ip_address=OUTSIDE, prefix_length="24"),
                            filled("mac_address", "mtu", "bandwidth", "input_packets", "output_packets")),
    "show interfaces description": has(port="Gi0/1", status="up", protocol="up", description="towards the client"),
    "show ip interface": has(interface="GigabitEthernet0/0", ip_address="['100.64.1.2']", prefix_length="['24']", mtu="1500"),
    "show ip interface brief": has(interface="GigabitEthernet0/1", ip_address=INSIDE, status="up", proto="up"),
    "show ip route": both(has(protocol="S", network="0.0.0.0", nexthop_ip="100.64.1.1", distance="1"),
                          has(protocol="C", network="10.0.1.0", prefix_length="24", nexthop_if="GigabitEthernet0/1")),
    "show ip route summary": has(route_source="static", networks="1"),
    "show ip access-lists": has(acl_name="FLOW10", line_num="10", action="permit", protocol="ip", src_network="10.0.1.0", dst_network="10.0.2.0"),
    "show access-lists": has(name="FLOW10", sn="10", action="permit", protocol="ip", source="10.0.1.0 0.0.0.255"),
    "show processes cpu": filled("cpu_usage_5_sec", "cpu_usage_1_min", "cpu_usage_5_min", "process_pid", "process_name"),
    # The template does not know the `end` that IOS prints after the interface.
    "show running-config interface GigabitEthernet0/1 | exclude ^end": has(interface="GigabitEthernet0/1", ip_address=INSIDE, description="towards the client"),
    "show crypto ipsec sa detail": has(interface="GigabitEthernet0/0", current_peer=PEER),
    "show crypto session detail": has(interface="GigabitEthernet0/0", session_status="UP-ACTIVE", peer=PEER),
    f"ping {PEER}": has(success_pct="100", destination=PEER),
    f"traceroute {PEER}": both(has(hop_num="1", ip_address="100.64.1.1"), has(hop_num="2", ip_address=PEER)),
}

# Commands of the list that ask questions when they stand alone: SCREENS has them with their arguments.
DIALOGS = {"ping", "traceroute"}


def listed():
    """Every command that the package has a template of this platform for, in whole words."""
    index = Path(ntc_templates.__file__).parent / "templates" / "index"
    lines = [line.split(",") for line in index.read_text().splitlines()]
    patterns = [parts[-1].strip() for parts in lines if len(parts) == 4 and parts[2].strip() == "cisco_ios"]
    commands = {re.sub(r"\[\[|\]\]", "", pattern) for pattern in patterns}
    return {command for command in commands if re.fullmatch(r"[\w /-]+", command)}


def is_parsed(command):
    """One of SCREENS is this command, in a longer spelling or with arguments."""
    words = command.split()
    return any(len(screen.split()) >= len(words) and all(map(str.startswith, screen.split(), words)) for screen in SCREENS)


with ConnectHandler(device_type="cisco_ios", host=ADDRESS, username=SHELL_USER, password=PASSWORD, secret=ENABLE, conn_timeout=60,
                    auth_timeout=60, banner_timeout=60, read_timeout_override=120) as router:
    router.enable()
    failures = []
    for command, check in SCREENS.items():
        text = router.send_command(command)
        try:
            rows = parse_output("cisco_ios", command, text)
        except Exception as error:  # what a template says of a line that it does not know
            failures.append(f"'{command}': {error}\n{text}")
            continue
        try:
            good = rows and check(rows)
        except KeyError as field:
            good = False
            text += f"\nno field {field}"
        if not good:
            failures.append(f"'{command}': rows {rows}\n{text}")
        else:
            print(f"  '{command}' gives {len(rows)} rows")
    expect(not failures, "all screens are parsed", "\n\n".join(failures))
    answered = [command for command in sorted(listed() - DIALOGS)
                if not re.search(r"^%", router.send_command(command), re.MULTILINE)]
    missing = [command for command in answered if not is_parsed(command)]
    expect(answered and not missing, f"no other command of the list is answered ({len(answered)} are)", missing)
