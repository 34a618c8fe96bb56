//! The router that the screens are printed from: one of everything.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use isthmus_grammar::command::{AddressMask, DebugArea, DebugCondition, DebugTopic, LineKind};
use isthmus_kernel::{AddressInfo, LinkInfo};

use super::logged::config_log;
use crate::config::Running;
use crate::config::difference::{self, Outline};
use crate::debug::Debugging;
use crate::machine::interfaces::{InterfaceMap, InterfaceTable};
use crate::machine::load::{Load, Memory, Pool, Thread};
use crate::router::counters::Packets;
use crate::router::failure::Failure;
use crate::show::change_control::{
    Archive, ChangeControl, Lock, Scheduled, TimerKind, Unconfirmed,
};
use crate::show::difference::{Differences, Layout};
use crate::show::snapshot::{
    Admission, Flow, IkeSa, IkeSuite, InterfaceCount, IpsecSa, Log, LogHost, LogPlace, Neighbour,
    Proxy, Route, RouteSource, SessionFacts, System, TerminalLine, User,
};
use crate::storage::listing::{Directory, FileEntry, FileKind};

pub(super) const CONFIG: &str = "\
hostname hub
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp policy 20
 encr 3des
 hash md5
 authentication pre-share
 group 2
 lifetime 1800
crypto isakmp policy 65
 group 21
crypto isakmp key first-key address 203.0.113.1
crypto isakmp key second-key address 198.51.100.0 255.255.255.0
crypto isakmp key any-key address 0.0.0.0 0.0.0.0
crypto isakmp key third-key hostname spoke.example
crypto ipsec transform-set STRONG esp-aes 256 esp-sha256-hmac
crypto ipsec transform-set MIXED ah-sha-hmac esp-3des
 mode transport
crypto ipsec transform-set GCM esp-gcm 256
crypto map OUT 10 ipsec-isakmp
 description head office
 set peer 203.0.113.1
 set transform-set STRONG GCM
 set pfs group14
 match address OFFICE
crypto map OUT 20 ipsec-isakmp
 set peer 203.0.113.2
 set peer 203.0.113.3
 set transform-set MIXED
 set security-association lifetime seconds 900
 set security-association lifetime kilobytes disable
 match address 101
crypto map OUT 30 ipsec-isakmp
 set peer 203.0.113.4
interface Loopback0
 ip address 10.0.0.1 255.255.255.255
interface GigabitEthernet0/0
 description to the provider
 ip address 198.51.100.7 255.255.255.0
 crypto map OUT
interface GigabitEthernet0/1
 ip address 10.1.0.1 255.255.255.0
 ip address 10.1.9.1 255.255.255.0 secondary
interface GigabitEthernet0/2
 shutdown
interface wan9
 ip address 192.0.2.9 255.255.255.0
ip access-list extended OFFICE
 remark head office
 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255
 permit tcp host 10.1.0.5 eq 443 any established
access-list 101 permit gre host 198.51.100.7 host 203.0.113.2
access-list 101 deny ip any any log
access-list 20 permit 10.1.0.0 0.0.255.255
access-list 20 deny 10.9.9.9
access-list 20 deny any log
alias exec sps show crypto session detail
alias exec w write memory
alias interface d description
";

pub(super) fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(super) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(super) fn suite() -> IkeSuite {
    IkeSuite {
        encryption: "aes",
        key_bits: Some(256),
        hash: "sha256",
        authentication: "psk",
        group: 14,
    }
}

pub(super) fn ike_sas() -> Vec<IkeSa> {
    let up = IkeSa {
        conn_id: 1001,
        local: socket("198.51.100.7:500"),
        remote: socket("203.0.113.1:500"),
        initiator: true,
        state: "QM_IDLE",
        established: true,
        deleted: false,
        suite: Some(suite()),
        remaining: Some(Duration::from_secs(86_000)),
        age: Some(Duration::from_secs(400)),
        peer_id: Some("203.0.113.1".to_owned()),
        dpd: true,
        natt: false,
        encrypted_messages: 12,
        decrypted_messages: 11,
    };
    let responder = IkeSa {
        conn_id: 1002,
        remote: socket("203.0.113.20:4500"),
        initiator: false,
        suite: Some(IkeSuite {
            encryption: "3des",
            key_bits: None,
            hash: "md5",
            group: 2,
            ..suite()
        }),
        remaining: Some(Duration::from_secs(1799)),
        age: Some(Duration::from_secs(100_000)),
        peer_id: Some("spoke.example".to_owned()),
        dpd: false,
        natt: true,
        ..up.clone()
    };
    let deleted = IkeSa {
        conn_id: 1003,
        remote: socket("203.0.113.30:500"),
        state: "MM_NO_STATE",
        established: false,
        deleted: true,
        remaining: None,
        age: None,
        peer_id: None,
        ..up.clone()
    };
    let starting = IkeSa {
        conn_id: 0,
        remote: socket("203.0.113.2:500"),
        state: "MM_KEY_EXCH",
        established: false,
        suite: None,
        remaining: None,
        age: None,
        peer_id: None,
        ..up.clone()
    };
    vec![up, responder, deleted, starting]
}

pub(super) fn sa(inbound: bool, spi: u32, conn_id: u32) -> IpsecSa {
    IpsecSa {
        inbound,
        ah: false,
        spi,
        transform: "esp-256-aes esp-sha256-hmac".to_owned(),
        algorithm: "AES256+SHA256".to_owned(),
        transport: false,
        udp: false,
        conn_id,
        kilobytes: Some(4_607_999),
        seconds: 3491,
        iv: Some(16),
        icv: 16,
        block: 16,
        replay_window: Some(64),
        packets: 4,
        sequence: 4,
    }
}

pub(super) fn flows() -> Vec<Flow> {
    let proxy = |net: &str| Proxy {
        net: net.parse().unwrap(),
        protocol: 0,
        port: 0,
    };
    let up = Flow {
        interface: "GigabitEthernet0/0".to_owned(),
        map: "OUT".to_owned(),
        sequence: 10,
        description: Some("head office".to_owned()),
        local: address("198.51.100.7"),
        local_proxy: proxy("10.1.0.0/16"),
        remote_proxy: proxy("10.2.0.0/16"),
        peer: address("203.0.113.1"),
        port: 500,
        packets: Packets {
            out: 10,
            inbound: 9,
            recv_errors: 3,
            verify_failed: 1,
            replay_failed: 2,
            ..Packets::default()
        },
        mtu: 1500,
        pfs_group: Some("group14"),
        sas: vec![sa(true, 0xDBDA_E5A4, 1), sa(false, 0x4AF1_F066, 2)],
    };
    let idle = Flow {
        local_proxy: Proxy {
            protocol: 6,
            port: 443,
            ..proxy("10.1.0.5/32")
        },
        remote_proxy: Proxy {
            protocol: 6,
            ..proxy("0.0.0.0/0")
        },
        packets: Packets::default(),
        pfs_group: None,
        sas: Vec::new(),
        ..up.clone()
    };
    let ah = |inbound, spi, conn_id| IpsecSa {
        ah: true,
        transform: "ah-sha-hmac".to_owned(),
        algorithm: "SHA".to_owned(),
        iv: None,
        icv: 12,
        ..esp(inbound, spi, conn_id)
    };
    let both = Flow {
        sequence: 20,
        description: None,
        local_proxy: Proxy {
            protocol: 47,
            ..proxy("198.51.100.7/32")
        },
        remote_proxy: Proxy {
            protocol: 47,
            ..proxy("203.0.113.2/32")
        },
        peer: address("203.0.113.2"),
        packets: Packets {
            out: 5,
            inbound: 5,
            send_errors: 1,
            ..Packets::default()
        },
        pfs_group: None,
        sas: vec![
            esp(true, 0x100, 3),
            esp(false, 0x200, 4),
            ah(true, 0x101, 5),
            ah(false, 0x201, 6),
        ],
        ..up.clone()
    };
    vec![up, idle, both]
}

pub(super) fn esp(inbound: bool, spi: u32, conn_id: u32) -> IpsecSa {
    IpsecSa {
        transform: "esp-3des".to_owned(),
        algorithm: "3DES".to_owned(),
        transport: true,
        kilobytes: None,
        seconds: 870,
        iv: Some(8),
        icv: 0,
        block: 8,
        replay_window: None,
        ..sa(inbound, spi, conn_id)
    }
}

pub(super) fn failures() -> Vec<Failure> {
    vec![Failure {
        local: Some(address("198.51.100.7")),
        peer: address("203.0.113.4"),
        at: "2026-11-23T15:31:10+00:00[UTC]".parse().unwrap(),
        exchange: "Main Mode".to_owned(),
        initiator: false,
        cause: "none of the peer's policies is one of ours".to_owned(),
        offered: vec!["aes-256/sha/group 2".to_owned()],
        wanted: vec!["policy 10: aes-256/sha256/group 14".to_owned()],
        change: Some("crypto isakmp policy 10, group".to_owned()),
    }]
}

pub(super) fn table(running: &Running) -> InterfaceTable {
    let link = |index: u32, name: &str, kind: &str, up: bool| LinkInfo {
        index,
        name: name.to_owned(),
        kind: kind.to_owned(),
        ethernet: kind != "ipip" && name != "lo",
        mac: if kind == "ipip" {
            Vec::new()
        } else {
            vec![2, 0, 0, 0, 0, u8::try_from(index).unwrap()]
        },
        mtu: 1500,
        up,
        running: up,
        loopback: name == "lo",
        ours: kind == "dummy",
        rx_packets: 338_297,
        rx_bytes: 72_840_105,
        rx_errors: 2,
        rx_dropped: 1,
        tx_packets: 336_857,
        tx_bytes: 91_790_612,
        tx_errors: 0,
        tx_dropped: 4,
        rx_multicast: 17,
        ..LinkInfo::default()
    };
    let links = vec![
        link(1, "lo", "", true),
        link(2, "eth0", "", true),
        link(3, "eth1", "veth", true),
        link(4, "eth2", "veth", false),
        link(5, "dmz0", "bridge", true),
        link(6, "tunl0", "ipip", false),
        link(7, "Loopback0", "dummy", true),
    ];
    let addresses = [AddressInfo {
        index: 5,
        address: "172.16.0.1/24".parse().unwrap(),
        secondary: false,
        ours: false,
    }];
    let mut table = InterfaceTable::new(InterfaceMap::default());
    table.refresh(links, &addresses, running);
    table
}

pub(super) fn routes() -> Vec<Route> {
    let route = |source, net: &str, via: Option<&str>, interface: Option<&str>| Route {
        source,
        net: net.parse().unwrap(),
        via: via.map(|via| via.parse().unwrap()),
        interface: interface.map(str::to_owned),
        distance: u8::from(source == RouteSource::Static),
        metric: 0,
    };
    vec![
        route(
            RouteSource::Connected,
            "198.51.100.0/24",
            None,
            Some("GigabitEthernet0/0"),
        ),
        route(
            RouteSource::Local,
            "198.51.100.7/32",
            None,
            Some("GigabitEthernet0/0"),
        ),
        route(
            RouteSource::Connected,
            "10.1.0.0/24",
            None,
            Some("GigabitEthernet0/1"),
        ),
        route(
            RouteSource::Local,
            "10.1.0.1/32",
            None,
            Some("GigabitEthernet0/1"),
        ),
        route(RouteSource::Static, "0.0.0.0/0", Some("198.51.100.1"), None),
        route(
            RouteSource::Static,
            "172.30.1.0/24",
            Some("198.51.100.2"),
            None,
        ),
        route(
            RouteSource::Static,
            "172.30.1.0/24",
            Some("198.51.100.3"),
            Some("GigabitEthernet0/0"),
        ),
        route(RouteSource::Static, "172.30.2.0/24", None, Some("Null0")),
        route(
            RouteSource::Static,
            "192.168.7.0/24",
            Some("198.51.100.2"),
            None,
        ),
    ]
}

pub(super) fn neighbours() -> Vec<Neighbour> {
    let neighbour = |address: &str, minutes: Option<u64>, mac: &[u8], interface: &str| Neighbour {
        address: address.parse().unwrap(),
        age: minutes.map(|minutes| Duration::from_secs(60 * minutes + 59)),
        mac: (!mac.is_empty()).then(|| crate::show::interfaces::mac(mac)),
        interface: interface.to_owned(),
    };
    vec![
        neighbour(
            "198.51.100.7",
            None,
            &[2, 0, 0, 0, 0, 2],
            "GigabitEthernet0/0",
        ),
        neighbour(
            "198.51.100.1",
            Some(12),
            &[2, 0, 0, 0, 9, 1],
            "GigabitEthernet0/0",
        ),
        neighbour("10.1.0.99", Some(0), &[], "GigabitEthernet0/1"),
    ]
}

pub(super) fn busy() -> Load {
    let thread = |id, name: &str, runtime, invoked, busy| Thread {
        id,
        name: name.to_owned(),
        runtime: Duration::from_millis(runtime),
        invoked,
        busy,
    };
    Load {
        busy: [4.4, 6.0, 5.2],
        interrupt: 0.3,
        threads: vec![
            thread(812, "isthmusd", 12_798, 606_112, [1.18, 0.92, 0.5]),
            thread(813, "tokio-runtime-w", 0, 0, [0.0; 3]),
        ],
        memory: Memory {
            processor: Pool {
                total: 4_096_000_000,
                used: 1_024_000_000,
                free: 3_072_000_000,
                lowest: 3_000_000_000,
                unused: 1_000_000_000,
            },
            io: Pool {
                total: 64_000_000,
                used: 1_000_000,
                free: 63_000_000,
                lowest: 60_000_000,
                unused: 63_000_000,
            },
        },
    }
}

pub(super) fn machine() -> System {
    System {
        hostname: "hub".to_owned(),
        uptime: Duration::from_secs(9 * 86_400 + 3 * 3600 + 240),
        started: "2026-11-14T12:00:00+00:00[UTC]".parse().unwrap(),
        image: "/usr/sbin/isthmusd".to_owned(),
        kernel: "6.1.0-18-amd64".to_owned(),
        machine: "x86_64".to_owned(),
        processor: "Example CPU, 2 processors".to_owned(),
        memory: 4_000_000,
        available: 3_000_000,
        chassis: "Example Systems Rack One".to_owned(),
        board_id: "0123456789abcdef".to_owned(),
        interfaces: [("Ethernet", 4), ("Loopback", 1)]
            .map(|(hardware, count)| InterfaceCount { hardware, count })
            .into(),
    }
}

pub(super) fn debugging_on() -> Debugging {
    let mut debugging = Debugging::default();
    debugging.change(DebugTopic::CryptoIsakmp, true);
    debugging.change(DebugTopic::CryptoIpsecError, true);
    let subnet = AddressMask {
        address: "198.51.100.0".parse().unwrap(),
        mask: "255.255.255.0".parse().unwrap(),
    };
    let conditions = [
        DebugCondition::Peer("203.0.113.2".parse().unwrap()),
        DebugCondition::Peer("203.0.113.1".parse().unwrap()),
        DebugCondition::PeerSubnet(subnet),
        DebugCondition::ConnectionId(1001),
        DebugCondition::Spi(0x1234),
        DebugCondition::Unmatched(Some(DebugArea::Isakmp)),
    ];
    for condition in conditions {
        debugging.conditions.change(condition, true).unwrap();
    }
    debugging
}

pub(super) fn log() -> Log {
    let place = |level, messages| Some(LogPlace { level, messages });
    Log {
        console: place("debugging", 27),
        monitor: None,
        buffer: place("informational", 25),
        trap: place("informational", 20),
        hosts: vec![LogHost {
            host: "192.0.2.50".to_owned(),
            protocol: "tcp",
            port: 601,
            up: false,
            sent: 18,
            limited: 3,
            dropped: 2,
            numbered: true,
        }],
        dropped: 1,
        limited: 4,
        on: true,
        source: Some("Loopback0".to_owned()),
        size: 8192,
        lines: vec![
            "*Nov 23 15:00:01.000: %SYS-5-CONFIG_I: Configured from console by console".to_owned(),
        ],
    }
}

/// The lines of a router that nobody configured: the console and the second vty are in use.
pub(super) fn lines() -> Vec<TerminalLine> {
    let line = |number, kind, within, uses, busy| TerminalLine {
        number,
        kind,
        within,
        uses,
        busy,
    };
    vec![
        line(0, LineKind::Console, 0, 3, true),
        line(1, LineKind::Aux, 0, 0, false),
        line(2, LineKind::Vty, 0, 12, false),
        line(3, LineKind::Vty, 1, 7, true),
        line(4, LineKind::Vty, 2, 0, false),
    ]
}

pub(super) fn user(
    number: usize,
    line: &str,
    name: &str,
    idle: u64,
    location: &str,
    current: bool,
) -> User {
    User {
        number,
        line: line.to_owned(),
        user: name.to_owned(),
        idle: Duration::from_secs(idle),
        location: location.to_owned(),
        current,
    }
}

pub(super) fn session_facts() -> SessionFacts {
    SessionFacts {
        differences: Differences {
            from: "nvram:startup-config".to_owned(),
            to: "system:running-config".to_owned(),
            differences: difference::contextual(
                &Outline::read("hostname hub\ninterface eth0\n shutdown\n", false),
                &Outline::read("hostname hub\ninterface eth0\n mtu 1400\n", false),
            ),
            layout: Layout::Contextual,
        },
        directory: Directory {
            name: "flash:/".to_owned(),
            files: vec![
                file("branch.cfg", FileKind::File, 2_148, 131_073),
                file("old", FileKind::Directory, 4_096, 131_074),
            ],
            total_bytes: 3_957_424_128,
            free_bytes: 1_234_567_168,
        },
    }
}

pub(super) fn change_control() -> ChangeControl {
    let at = "2026-11-14T12:00:00+00:00[UTC]";
    ChangeControl {
        archive: Some(Archive {
            maximum: 3,
            next_file: "flash:hub-<timestamp>-2".to_owned(),
            files: vec![
                "flash:hub-Nov-14-11-00-00.000-0".to_owned(),
                "flash:hub-Nov-14-11-30-00.000-1".to_owned(),
            ],
        }),
        unconfirmed_change: Some(Unconfirmed {
            configured: at.parse().unwrap(),
            timer_type: TimerKind::Idle,
            timer_minutes: 10,
            remaining: Duration::from_secs(599),
            user: "ann".to_owned(),
        }),
        lock: Some(Lock {
            session: "7".to_owned(),
            user: "ann".to_owned(),
            line: "vty0".to_owned(),
            source: Some([192, 0, 2, 7].into()),
            active: Duration::from_secs(12),
        }),
        config_log: config_log(),
        reload: Some(Scheduled {
            at: at.parse().unwrap(),
            remaining: Duration::from_secs(3_660),
            by: "ann on vty0 (192.0.2.7)".to_owned(),
            reason: "new kernel".to_owned(),
        }),
    }
}

fn file(name: &str, kind: FileKind, size_bytes: u64, number: u64) -> FileEntry {
    FileEntry {
        name: name.to_owned(),
        kind,
        size_bytes,
        modified: "2026-11-14T11:30:00+00:00[UTC]".parse().unwrap(),
        number,
    }
}

pub(super) fn admission() -> Admission {
    use ike::event::DropReason;
    use ike::status::Tally;
    let tally = |accepted, rejected| Tally { accepted, rejected };
    Admission {
        counts: ike::status::Admission {
            limits: ike::config::AdmissionLimits {
                ike_sas: Some(500),
                negotiations: None,
                children: Some(2000),
            },
            ike_active: 2,
            ike_negotiating: 1,
            children_active: 3,
            children_negotiating: 1,
            incoming_ike: tally(7, 2),
            outgoing_ike: tally(4, 1),
            incoming_children: tally(9, 0),
            outgoing_children: tally(5, 3),
            rejected_by_ike_limit: 2,
            rejected_by_negotiation_limit: 1,
            answered_without_state: 4_294_967_296,
            gave_way: 12,
            dropped_at_dispatch: 123_456,
        },
        dropped: [(DropReason::NoSa, 99), (DropReason::Repeat, 100_000)].into(),
    }
}
