"""NAPALM's `ios`: facts, interfaces, addresses, configuration."""

from napalm import get_network_driver

from router import ADDRESS, ENABLE, HOSTNAME, INSIDE, OUTSIDE, PASSWORD, PEER, SHELL_USER, expect

OPTIONS = {"secret": ENABLE, "conn_timeout": 60, "auth_timeout": 60, "banner_timeout": 60, "read_timeout_override": 120}

with get_network_driver("ios")(ADDRESS, SHELL_USER, PASSWORD, timeout=120, optional_args=OPTIONS) as router:
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
    print(f"  get_users: {sorted(router.get_users())}")
    ping = router.ping(PEER, count=3)
    expect(ping["success"]["packet_loss"] == 0, "ping", ping)
    config = router.get_config()
    expect(f"hostname {HOSTNAME}" in config["running"] and f"hostname {HOSTNAME}" in config["startup"], "get_config", config)
    plain = router.get_config(retrieve="running", sanitized=True)["running"]
    expect("interface GigabitEthernet0/1" in plain, "get_config, sanitized", plain)
