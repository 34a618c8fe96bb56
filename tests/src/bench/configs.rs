//! The configurations of the contestants: about as many lines each.

use std::fmt::Write;

/// Lines of one entry: its key, its access-list (two), its crypto map (four).
const LINES: usize = 7;

/// Crypto map entries, each with a peer, a key and an access-list of its own, on an interface.
pub fn isthmus(entries: usize) -> String {
    let (mut keys, mut lists, mut map) = (String::new(), String::new(), String::new());
    for index in 0..entries {
        let peer = format!("198.18.{}.{}", index / 250, index % 250 + 1);
        let remote = format!("172.{}.{}.0", 16 + index / 256, index % 256);
        let number = index + 1;
        let _ = writeln!(keys, "crypto isakmp key secret-{index} address {peer}");
        let _ = writeln!(
            lists,
            "ip access-list extended VPN-{index}\n permit ip 10.0.0.0 0.255.255.255 {remote} 0.0.0.255"
        );
        let _ = writeln!(
            map,
            "crypto map VPN {number} ipsec-isakmp\n set peer {peer}\n set transform-set T\n match address VPN-{index}"
        );
    }
    format!(
        "hostname hub\n{lists}crypto isakmp policy 10\n encr aes 256\n hash sha256\n authentication pre-share\n group 14\n{keys}\
         crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac\n mode tunnel\n{map}interface eth0\n \
         ip address 192.0.2.1 255.255.255.0\n crypto map VPN\n"
    )
}

/// As many access-list lines, one list for each entry.
pub fn frr(entries: usize) -> String {
    let mut text = String::from("hostname hub\n");
    for index in 0..entries {
        for line in 0..LINES {
            let network = format!("172.{}.{}.0/24", 16 + line, index % 256);
            let _ = writeln!(
                text,
                "access-list VPN-{index} seq {} permit {network}",
                5 * (line + 1)
            );
        }
    }
    text
}
