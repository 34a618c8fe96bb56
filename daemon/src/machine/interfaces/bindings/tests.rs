//! Bindings over devices that come, go, are renamed, move and are replaced.

use super::*;

/// A device at `bus` ("" for a veth); its hardware address ends in `mac`.
fn device(index: u32, name: &str, mac: u8, bus: &str) -> LinkInfo {
    LinkInfo {
        index,
        name: name.into(),
        kind: if bus.is_empty() { "veth" } else { "" }.into(),
        ethernet: true,
        mac: vec![2, 0, 0, 0, 0, mac],
        permanent_mac: if bus.is_empty() {
            Vec::new()
        } else {
            vec![2, 0, 0, 0, 0, mac]
        },
        bus: bus.into(),
        ..LinkInfo::default()
    }
}

struct Machine {
    bindings: Bindings,
    uses: Uses,
}

impl Machine {
    /// All ports up to the third are in use, and these Linux names.
    fn using(names: &[&str]) -> Self {
        let mut used: BTreeSet<Key> = (0..3).map(Key::Port).collect();
        used.extend(names.iter().map(|name| Key::Name((*name).into())));
        Self {
            bindings: Bindings::default(),
            uses: Uses {
                used,
                mapped: BTreeSet::new(),
            },
        }
    }

    fn see(&mut self, devices: &[LinkInfo]) -> Vec<(Key, Change)> {
        let links: Vec<&LinkInfo> = devices.iter().collect();
        self.bindings.follow(&links, &self.uses)
    }

    /// The daemon is started again: what is not in the file is forgotten.
    fn restart(&mut self) {
        let kept = self.bindings.worth_keeping(&self.uses);
        let forget = |(key, one): (&Key, &Binding)| {
            let binding = Binding {
                index: None,
                ..one.clone()
            };
            (key.clone(), binding)
        };
        self.bindings = Bindings::kept(kept.map(forget).collect());
    }

    /// The kernel index of each port up to the fourth.
    fn ports(&self) -> [Option<u32>; 4] {
        [0, 1, 2, 3].map(|port| self.bindings.get(&Key::Port(port))?.index)
    }

    fn name(&self, name: &str) -> Option<u32> {
        self.bindings.get(&Key::Name(name.into()))?.index
    }
}

const SLOTS: [&str; 3] = ["0000:01:00.0", "0000:02:00.0", "0000:03:00.0"];

fn three() -> Vec<LinkInfo> {
    (0..3u8)
        .map(|n| {
            device(
                u32::from(n) + 2,
                &format!("eth{n}"),
                n + 1,
                SLOTS[usize::from(n)],
            )
        })
        .collect()
}

#[test]
fn a_number_stays_empty_when_its_device_goes_and_is_found_again() {
    let mut machine = Machine::using(&[]);
    assert_eq!(machine.see(&three()), []);
    assert_eq!(machine.ports(), [Some(2), Some(3), Some(4), None]);
    let mut devices = three();
    let gone = devices.remove(0);
    assert_eq!(machine.see(&devices), [(Key::Port(0), Change::Gone)]);
    assert_eq!(machine.ports(), [None, Some(3), Some(4), None]);
    // After a restart the kernel counts and calls the two that are left otherwise.
    machine.restart();
    let left = [
        device(2, "eth0", 2, SLOTS[1]),
        device(3, "eth1", 3, SLOTS[2]),
    ];
    machine.see(&left);
    assert_eq!(machine.ports(), [None, Some(2), Some(3), None]);
    let all = [
        device(9, "eth7", 1, SLOTS[0]),
        left[0].clone(),
        left[1].clone(),
    ];
    assert_eq!(machine.see(&all), [(Key::Port(0), Change::Back)]);
    assert_eq!(machine.ports(), [Some(9), Some(2), Some(3), None]);
    assert_eq!(gone.name, "eth0");
}

#[test]
fn other_orders_names_and_indexes_change_nothing() {
    let mut machine = Machine::using(&[]);
    machine.see(&three());
    let permuted = [
        device(2, "eth1", 3, SLOTS[2]),
        device(3, "eth2", 1, SLOTS[0]),
        device(4, "eth0", 2, SLOTS[1]),
    ];
    machine.restart();
    assert_eq!(machine.see(&permuted).len(), 3, "each is there again");
    assert_eq!(machine.ports(), [Some(3), Some(4), Some(2), None]);
    let renamed = [
        device(2, "wan0", 3, SLOTS[2]),
        device(3, "lan0", 1, SLOTS[0]),
        device(4, "dmz0", 2, SLOTS[1]),
    ];
    assert_eq!(machine.see(&renamed), []);
    assert_eq!(machine.ports(), [Some(3), Some(4), Some(2), None]);
}

#[test]
fn a_card_in_the_same_slot_under_the_same_name_has_the_name_and_that_is_said() {
    let mut machine = Machine::using(&["eth1"]);
    machine.see(&three());
    machine.restart();
    let mut devices = three();
    devices[1] = device(3, "eth1", 77, SLOTS[1]);
    let others = machine.see(&devices);
    let others = others
        .iter()
        .filter(|(_, change)| matches!(change, Change::Other(_)));
    assert_eq!(others.count(), 2, "the port and the name");
    assert_eq!(machine.ports(), [Some(2), Some(3), Some(4), None]);
    assert_eq!(machine.name("eth1"), Some(3));
}

#[test]
fn a_card_keeps_its_name_in_another_slot_even_if_a_new_one_is_in_the_old() {
    let mut machine = Machine::using(&[]);
    machine.see(&three());
    machine.restart();
    let mut devices = three();
    devices[1] = device(3, "eth1", 77, SLOTS[1]);
    devices.push(device(5, "eth3", 2, "0000:09:00.0"));
    machine.see(&devices);
    assert_eq!(machine.ports(), [Some(2), Some(5), Some(4), Some(3)]);
}

#[test]
fn other_hardware_under_the_kernel_name_is_not_the_device() {
    let mut machine = Machine::using(&["eth1"]);
    machine.see(&three());
    machine.restart();
    let mut devices = three();
    devices[1] = device(3, "eth1", 77, "0000:09:00.0");
    machine.see(&devices);
    assert_eq!(machine.ports(), [Some(2), None, Some(4), Some(3)]);
    assert_eq!(machine.name("eth1"), None);
    // A veth that takes the name is not it either.
    devices[1] = device(6, "eth1", 2, "");
    machine.see(&devices);
    assert_eq!(machine.ports()[1], None);
    assert_eq!(machine.name("eth1"), None);
    // Once no line needs the name it means what is called so.
    devices[1] = device(3, "eth1", 77, "0000:09:00.0");
    machine.uses.used.clear();
    machine.see(&devices);
    machine.uses.used.insert(Key::Name("eth1".into()));
    machine.see(&devices);
    assert_eq!(machine.name("eth1"), Some(3));
}

#[test]
fn twins_are_told_apart_by_what_differs_or_not_at_all() {
    // Two ports of one card: one place.
    let (one, two) = (
        device(2, "eth0", 1, SLOTS[0]),
        device(3, "eth1", 2, SLOTS[0]),
    );
    let mut machine = Machine::using(&[]);
    machine.see(&[one.clone(), two.clone()]);
    machine.restart();
    let swapped = [
        device(2, "eth0", 2, SLOTS[0]),
        device(3, "eth1", 1, SLOTS[0]),
    ];
    machine.see(&swapped);
    assert_eq!(machine.ports(), [Some(3), Some(2), None, None]);
    // Two with one hardware address, both in other places: neither is guessed at.
    machine.restart();
    let twins = [
        device(2, "eth5", 1, SLOTS[1]),
        device(3, "eth6", 1, SLOTS[2]),
    ];
    machine.see(&twins);
    assert_eq!(machine.ports(), [None, None, Some(2), Some(3)]);
}

#[test]
fn where_hardware_is_only_hardware_is_numbered() {
    let mut machine = Machine::using(&[]);
    let veth = |index, name| device(index, name, 100 + index as u8, "");
    machine.see(&[
        veth(2, "docker0"),
        veth(3, "vethab12"),
        device(4, "eth0", 1, SLOTS[0]),
    ]);
    assert_eq!(machine.ports(), [Some(4), None, None, None]);
    machine.see(&[veth(2, "docker0")]);
    assert_eq!(
        machine.ports(),
        [None; 4],
        "a container's device does not take the place of hardware"
    );
}

#[test]
fn without_hardware_devices_are_numbered_and_known_by_their_names() {
    let mut machine = Machine::using(&[]);
    let veth = |index, name, mac| device(index, name, mac, "");
    machine.see(&[veth(2, "lan0", 1), veth(3, "dmz0", 2), veth(4, "wan0", 3)]);
    assert_eq!(machine.ports(), [Some(2), Some(3), Some(4), None]);
    // The lab is made anew: other addresses, another order, one is missing.
    machine.restart();
    machine.see(&[veth(7, "wan0", 31), veth(8, "lan0", 32)]);
    assert_eq!(machine.ports(), [Some(8), None, Some(7), None]);
    // A name that is given to a device while we look stays with the device.
    machine.see(&[veth(7, "uplink", 31), veth(8, "lan0", 32)]);
    assert_eq!(machine.ports(), [Some(8), None, Some(7), None]);
}

#[test]
fn a_number_that_no_line_needs_is_free_again() {
    let mut machine = Machine::using(&[]);
    let mut devices = three();
    devices.push(device(5, "usb0", 9, "1-1:1.0"));
    machine.see(&devices);
    devices.pop();
    machine.see(&devices);
    devices.push(device(6, "usb1", 10, "1-2:1.0"));
    machine.see(&devices);
    assert_eq!(machine.ports(), [Some(2), Some(3), Some(4), Some(6)]);
}

#[test]
fn numbers_after_a_loss_are_guesses_until_no_crypto_map_is_there() {
    let mut machine = Machine::using(&[]);
    machine.bindings = Bindings::lost();
    machine.uses.mapped.insert(Key::Port(1));
    machine.see(&three());
    let guessed = |machine: &Machine| {
        [0, 1].map(|port| machine.bindings.get(&Key::Port(port)).unwrap().guessed)
    };
    assert_eq!(guessed(&machine), [false, true]);
    machine.restart();
    machine.see(&three());
    assert_eq!(
        guessed(&machine),
        [false, true],
        "a restart does not make it sure"
    );
    machine.uses.mapped.clear();
    machine.see(&three());
    machine.uses.mapped.insert(Key::Port(1));
    machine.see(&three());
    assert_eq!(guessed(&machine), [false, false]);
}
