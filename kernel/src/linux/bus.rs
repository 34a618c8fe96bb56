//! Where a network device is plugged in, from sysfs: the kernel names its parent over netlink only since 5.14, and calls
//! it `virtio3` where the next start may say `virtio2`. Called by `route.rs` for every link.

use std::fs;
use std::path::Path;

use crate::LinkInfo;

const DEVICES: &str = "/sys/class/net";

/// The bus address of a link's own parent; `None` where sysfs has nothing about this very link.
pub(super) fn of(link: &LinkInfo) -> Option<String> {
    // What has a kind was made by software; a parent of its own is then known from netlink if there is one.
    if !link.ethernet || !link.kind.is_empty() {
        return None;
    }
    found(Path::new(DEVICES), link)
}

fn found(devices: &Path, link: &LinkInfo) -> Option<String> {
    let folder = devices.join(&link.name);
    // sysfs may be that of another network namespace, where another device has the name.
    let index = fs::read_to_string(folder.join("ifindex")).ok()?;
    let address = fs::read_to_string(folder.join("address")).ok()?;
    if index.trim().parse() != Ok(link.index) || address.trim() != colons(&link.mac) {
        return None;
    }
    let parent = fs::canonicalize(folder.join("device")).ok()?;
    let mut parts = parent.iter().rev().filter_map(|part| part.to_str());
    parts.find(|part| !is_virtio(part)).map(str::to_owned)
}

/// `virtio0` is numbered in the order of discovery; the place it is plugged into stays the same.
fn is_virtio(part: &str) -> bool {
    part.strip_prefix("virtio")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn colons(mac: &[u8]) -> String {
    let octets: Vec<String> = mac.iter().map(|octet| format!("{octet:02x}")).collect();
    octets.join(":")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn link(index: u32) -> LinkInfo {
        LinkInfo {
            index,
            name: "eth0".into(),
            ethernet: true,
            mac: vec![2, 0, 0, 0, 0, 7],
            ..LinkInfo::default()
        }
    }

    /// A sysfs with one device below `parent`.
    fn sysfs(parent: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let device = root.path().join("devices").join(parent);
        fs::create_dir_all(&device).unwrap();
        let folder = root.path().join("eth0");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("ifindex"), "7\n").unwrap();
        fs::write(folder.join("address"), "02:00:00:00:00:07\n").unwrap();
        symlink(&device, folder.join("device")).unwrap();
        root
    }

    #[test]
    fn the_parent_is_named_without_the_order_of_discovery() {
        for (parent, bus) in [
            ("pci0000:00/0000:00:03.0/virtio2", "0000:00:03.0"),
            ("pci0000:00/0000:00:19.0", "0000:00:19.0"),
            (
                "pci0000:00/0000:00:14.0/usb1/1-1/1-1.2/1-1.2:1.0",
                "1-1.2:1.0",
            ),
            ("platform/fe300000.ethernet", "fe300000.ethernet"),
        ] {
            let root = sysfs(parent);
            assert_eq!(found(root.path(), &link(7)).as_deref(), Some(bus));
        }
    }

    #[test]
    fn the_device_of_another_namespace_is_not_this_one() {
        let root = sysfs("pci0000:00/0000:00:19.0");
        assert_eq!(found(root.path(), &link(8)), None);
        let other = LinkInfo {
            mac: vec![2, 0, 0, 0, 0, 8],
            ..link(7)
        };
        assert_eq!(found(root.path(), &other), None);
    }

    #[test]
    fn a_device_without_a_parent_has_no_bus() {
        let root = sysfs("x");
        fs::remove_file(root.path().join("eth0/device")).unwrap();
        assert_eq!(found(root.path(), &link(7)), None);
    }
}
