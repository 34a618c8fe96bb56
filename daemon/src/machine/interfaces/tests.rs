//! Names and devices of [`InterfaceTable`], and how counters are cleared.

use super::*;

fn table(map: &str) -> InterfaceTable {
    let mut table = InterfaceTable::new(InterfaceMap::parse(map).unwrap());
    let link = |index, name: &str, kind: &str| LinkInfo {
        index,
        name: name.into(),
        kind: kind.into(),
        ethernet: index > 1,
        loopback: index == 1,
        ..LinkInfo::default()
    };
    let links = vec![
        link(1, "lo", ""),
        link(2, "Loopback0", "dummy"),
        link(3, "lan0", "veth"),
        link(7, "wan0", "veth"),
    ];
    table.refresh(links, &[], &Running::default());
    table
}

fn kernel(table: &InterfaceTable, name: &str) -> Option<String> {
    table.kernel_name(&InterfaceName::parse(name).unwrap())
}

#[test]
fn ethernet_names_follow_the_index() {
    let table = table("");
    for (name, device) in [
        ("Gi0/0", Some("lan0")),
        ("Fa0/1", Some("wan0")),
        ("GigabitEthernet2", Some("wan0")),
        ("Gi0/0/1", Some("wan0")),
        ("Gi0/2", None),
        ("Gi1/0", None),
        ("Lo0", Some("Loopback0")),
        ("wan0", Some("wan0")),
        ("Tunnel0", None),
    ] {
        assert_eq!(kernel(&table, name).as_deref(), device, "{name}");
    }
}

#[test]
fn cleared_counters_stay_with_the_device() {
    let mut table = table("");
    let name = InterfaceName::parse("Gi0/1").unwrap();
    table.clear_counters(Some(&name), Timestamp::UNIX_EPOCH);
    let cleared = |table: &InterfaceTable| -> Vec<u32> {
        let cleared = table.iter().filter(|interface| interface.cleared.is_some());
        cleared.map(|interface| interface.link.index).collect()
    };
    assert_eq!(cleared(&table), [7]);
    let links = |index| -> Vec<LinkInfo> {
        let mut links: Vec<_> = table.iter().map(|one| one.link.clone()).collect();
        links[3].index = index;
        links
    };
    let (same, new) = (links(7), links(9));
    table.refresh(same, &[], &Running::default());
    assert_eq!(cleared(&table), [7], "still there after another look");
    table.refresh(new, &[], &Running::default());
    assert_eq!(
        cleared(&table),
        [0; 0],
        "a new device counts from its own zero"
    );
    table.clear_counters(None, Timestamp::UNIX_EPOCH);
    assert_eq!(cleared(&table), [1, 2, 3, 9]);
}

#[test]
fn the_map_wins_and_names_interfaces() {
    let table = table("# uplink\nGi0/0 wan0\nGigabitEthernet 1/0 lan0 ! inside\n");
    assert_eq!(kernel(&table, "Gi0/0").as_deref(), Some("wan0"));
    assert_eq!(table.by_index(3).unwrap().name, "GigabitEthernet1/0");
}
