"""ciscoconfparse2 reads the running-config of a router that keys tunnels."""

from ciscoconfparse2 import CiscoConfParse
from netmiko import ConnectHandler

from router import ADDRESS, ENABLE, HOSTNAME, INSIDE, OUTSIDE, PASSWORD, PEER, SHELL_USER, expect

with ConnectHandler(device_type="cisco_ios", host=ADDRESS, username=SHELL_USER, password=PASSWORD, secret=ENABLE, conn_timeout=60,
                    auth_timeout=60, banner_timeout=60, read_timeout_override=120) as router:
    router.enable()
    text = router.send_command("show running-config")

config = CiscoConfParse(text.splitlines(), syntax="ios")
expect([line.text for line in config.find_objects(r"^hostname")] == [f"hostname {HOSTNAME}"], "the hostname is found")
names = [line.text.split()[1] for line in config.find_objects(r"^interface")]
expect(names == ["GigabitEthernet0/0", "GigabitEthernet0/1"], "the interfaces are found", names)
with_map = config.find_parent_objects(r"^interface", r"^ crypto map VPN")
expect([line.text for line in with_map] == ["interface GigabitEthernet0/0"], "the interface with a crypto map is found", with_map)
entry = config.find_child_objects(r"^crypto map VPN 10 ipsec-isakmp", r"^ set peer")
expect([line.text.strip() for line in entry] == [f"set peer {PEER}"], "the peer of a map entry is found", entry)
policies = config.find_objects(r"^crypto isakmp policy")
suite = {line.text.strip() for line in policies[0].children}
expect({"encr aes 256", "hash sha256", "authentication pre-share", "group 14"} <= suite, "the lines of an ISAKMP policy are its children", suite)
lines = config.find_child_objects(r"^ip access-list extended FLOW10", r"permit ip")
expect(len(lines) == 1, "the lines of an access-list are its children", lines)
addresses = {line.text: [child.text.split()[2] for child in line.children if child.text.startswith(" ip address")]
             for line in config.find_objects(r"^interface")}
expect(addresses == {"interface GigabitEthernet0/0": [OUTSIDE], "interface GigabitEthernet0/1": [INSIDE]}, "the addresses are found", addresses)
orphans = [line.text for line in config.objs if line.text.startswith(" ") and line.parent is line]
expect(not orphans, "every indented line has a parent", orphans)
