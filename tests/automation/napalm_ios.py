"""NAPALM's `ios`: facts, interfaces, addresses; candidates merged, compared, committed, confirmed, discarded and rolled back."""

from napalm import get_network_driver
from napalm.base.exceptions import MergeConfigException, ReplaceConfigException

from router import ADDRESS, ENABLE, HOSTNAME, INSIDE, OPERATOR, OUTSIDE, PASSWORD, PEER_INSIDE, expect

OPTIONS = {"secret": ENABLE, "conn_timeout": 60, "auth_timeout": 60, "banner_timeout": 60, "read_timeout_override": 120}

with get_network_driver("ios")(ADDRESS, OPERATOR, PASSWORD, timeout=120, optional_args=OPTIONS) as router:
    expect(router.is_alive()["is_alive"], "the session is alive")
    facts = router.get_facts()
    expect(facts["hostname"] == HOSTNAME and facts["serial_number"] != "Unknown" and facts["os_version"] != "Unknown"
           and facts["model"] != "Unknown" and facts["uptime"] >= 0, "get_facts", facts)
    expect({"GigabitEthernet0/0", "GigabitEthernet0/1"} <= set(facts["interface_list"]), "get_facts lists the interfaces", facts)
    interfaces = router.get_interfaces()
    inside = interfaces["GigabitEthernet0/1"]
    expect(inside["is_up"] and inside["is_enabled"] and inside["mtu"] == 1500 and inside["mac_address"], "get_interfaces", interfaces)
    addresses = router.get_interfaces_ip()
    expect(addresses["GigabitEthernet0/0"]["ipv4"] == {OUTSIDE: {"prefix_length": 24}}, "get_interfaces_ip", addresses)
    arp = router.get_arp_table()
    expect(any(row["ip"] == "10.0.1.10" for row in arp), "get_arp_table", arp)
    counters = router.get_interfaces_counters()
    expect(counters["GigabitEthernet0/1"]["rx_unicast_packets"] > 0, "get_interfaces_counters", counters)
    environment = router.get_environment()
    expect(environment["memory"]["used_ram"] > 0, "get_environment", environment)
    users = router.get_users()
    expect(users[OPERATOR]["level"] == 15, "get_users", users)
    ping = router.ping(PEER_INSIDE, source=INSIDE, count=3)
    expect(ping["success"]["packet_loss"] == 0, "ping", ping)
    config = router.get_config()
    expect(f"hostname {HOSTNAME}" in config["running"] and f"hostname {HOSTNAME}" in config["startup"], "get_config", config)
    plain = router.get_config(retrieve="running", sanitized=True)["running"]
    expect("interface GigabitEthernet0/1" in plain, "get_config, sanitized", plain)


def running(router):
    """The running-config as NAPALM reads it, without comments and without the line that it adds for its own work."""
    lines = router.get_config(retrieve="running")["running"].splitlines()
    return "\n".join(line for line in lines if line.strip(" !") and line != "file prompt quiet")


def tunnel_is_up(router):
    """Whether the tunnel that was there at the start carries packets."""
    answer = router.ping(PEER_INSIDE, source=INSIDE, count=2)
    return answer.get("success", {}).get("packet_loss") == 0


MERGE = """interface Loopback77
 description merged by NAPALM
 ip address 10.77.0.1 255.255.255.255
!
crypto isakmp policy 77
 encr aes 256
 group 14
end
"""

with get_network_driver("ios")(ADDRESS, OPERATOR, PASSWORD, timeout=120, optional_args=OPTIONS) as router:
    before = running(router)

    router.load_merge_candidate(config=MERGE)
    difference = router.compare_config()
    expect("+interface Loopback77" in difference and "+ description merged by NAPALM" in difference
           and "+ encr aes 256" in difference and "\n-" not in difference, "compare_config of a merge", difference)
    router.discard_config()
    expect(router.compare_config() == "" and "Loopback77" not in running(router), "discard_config", router.compare_config())

    router.load_merge_candidate(config=MERGE)
    router.commit_config()
    text = running(router)
    expect("interface Loopback77\n description merged by NAPALM\n ip address 10.77.0.1 255.255.255.255" in text
           and "crypto isakmp policy 77\n encr aes 256" in text, "commit_config of a merge", text)
    expect("Loopback77" in router.get_config(retrieve="startup")["startup"], "commit_config saves")
    router.rollback()
    expect(running(router) == before, "rollback", running(router))

    try:
        router.load_merge_candidate(config="interface Loopback78\n frobnicate\nend\n")
        router.commit_config()
        expect(False, "a merge with a line that is unknown fails")
    except MergeConfigException:
        expect("Loopback78" not in running(router), "a merge with a line that is unknown is taken back", running(router))

    wanted = before.replace(" description towards the client", " description replaced by NAPALM")
    router.load_replace_candidate(config=wanted)
    difference = router.compare_config()
    expect("+description replaced by NAPALM" in difference.replace("+ ", "+")
           and "-description towards the client" in difference.replace("- ", "-")
           and "crypto" not in difference, "compare_config of a replacement", difference)
    router.commit_config()
    expect(running(router) == wanted, "commit_config of a replacement", running(router))
    expect(tunnel_is_up(router), "the tunnel is up after a replacement")
    router.rollback()
    expect(running(router) == before, "rollback of a replacement", running(router))

    try:
        router.load_replace_candidate(config=wanted.replace("\nend", "\nfrobnicate all\nend"))
        router.commit_config()
        expect(False, "a replacement with a line that is unknown fails")
    except ReplaceConfigException:
        expect(running(router) == before, "a replacement with a line that is unknown changes nothing", running(router))

    router.load_merge_candidate(config="archive\n path flash:archive\nend\n")
    router.commit_config()
    router.load_merge_candidate(config=MERGE)
    router.commit_config(revert_in=120)
    expect(router.has_pending_commit() and "Loopback77" in running(router), "commit_config waits for the confirmation")
    router.rollback()
    expect(not router.has_pending_commit() and "Loopback77" not in running(router), "rollback of a commit that waits")
    router.load_merge_candidate(config=MERGE)
    router.commit_config(revert_in=120)
    router.confirm_commit()
    expect(not router.has_pending_commit() and "Loopback77" in running(router), "confirm_commit")
    expect(tunnel_is_up(router), "the tunnel is up after all changes")
