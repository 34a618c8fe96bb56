//! Every screen against its expected text in `tests/screens`.
//!
//! With `ISTHMUS_UPDATE_SCREENS=1` in the environment the files are written instead of compared: read the difference
//! before you commit it.

mod json;
mod logged;
mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use isthmus_grammar::command::{Command, ExecCommand, ShowCommand};
use isthmus_grammar::{Mode, parser};

use self::world::*;
use crate::config::load;
use crate::debug::Debugging;
use crate::show::ipsec;
use crate::show::screen as screen_of;
use crate::show::screen::{Document, Facts as _};
use crate::show::snapshot::{IpsecSa, Resolver, ShowContext, Snapshot, Startup, lazy, part};

#[track_caller]
fn same_as(name: &str, text: &str) {
    same_as_file(&format!("tests/screens/{name}"), text);
}

#[track_caller]
fn same_as_file(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("ISTHMUS_UPDATE_SCREENS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == expected,
        "{name}: expected\n{expected}\nbut printed\n{text}"
    );
}

/// Shows what a command line asks for, in the world above.
fn screen(line: &str) -> String {
    screen_with(line, |_| {})
}

fn screen_with(line: &str, change: impl FnOnce(&mut Snapshot)) -> String {
    with_world(change, |snapshot| {
        screen_of(snapshot, &command(line)).text()
    })
}

fn with_world<T>(change: impl FnOnce(&mut Snapshot), look: impl FnOnce(&Snapshot) -> T) -> T {
    let (running, problems) = load(CONFIG, "config");
    assert_eq!(problems, []);
    let interfaces = table(&running);
    let problems =
        BTreeSet::from(["crypto map VPN 20 has no match address: it protects nothing".to_owned()]);
    let context = ShowContext {
        privilege: 15,
        line: "console".to_owned(),
        length: 24,
        width: 80,
        monitor: true,
        history_size: 10,
        history: vec!["enable".to_owned(), "show clock".to_owned()],
    };
    let mut snapshot = Snapshot {
        running: Arc::new(running),
        interfaces,
        startup: lazy(|| {
            Some(Startup {
                text: "!\nhostname hub\n!\nend\n".to_owned(),
                capacity: 262_144,
            })
        }),
        now: "2026-11-23T15:32:00.250+00:00[UTC]".parse().unwrap(),
        clock_synchronised: false,
        ike_sas: part(ike_sas()),
        admission: admission(),
        flows: part(flows()),
        failures: part(failures()),
        problems,
        routes: routes(),
        neighbours: neighbours(),
        resolver: Resolver {
            domain: Some("example.net".to_owned()),
            servers: vec!["192.0.2.53".to_owned(), "192.0.2.54".to_owned()],
        },
        load: busy(),
        log: part(log()),
        system: lazy(machine),
        debugging: debugging_on(),
        users: vec![
            user(0, "console", "console", 90, "", true),
            user(3, "vty1", "ann", 0, "192.0.2.77", false),
        ],
        lines: lines(),
        change_control: change_control(),
        context,
        facts: session_facts(),
    };
    change(&mut snapshot);
    look(&snapshot)
}

fn command(line: &str) -> ShowCommand {
    match parser::parse(Mode::Exec, line).map(|parsed| parsed.command) {
        Ok(Command::Exec(ExecCommand::Show(command))) => command,
        other => panic!("{line}: {other:?}"),
    }
}

macro_rules! screens {
    ($($name:ident: $line:literal),+ $(,)?) => {
        $(#[test]
        fn $name() {
            same_as(concat!(stringify!($name), ".txt"), &screen($line));
        })+
    };
}

screens! {
    isakmp_sa: "show crypto isakmp sa",
    isakmp_sa_detail: "show crypto isakmp sa detail",
    isakmp_policy: "show crypto isakmp policy",
    isakmp_statistics: "show crypto isakmp statistics",
    call_admission: "show crypto call admission statistics",
    isakmp_key: "show crypto isakmp key",
    isakmp_peers: "show crypto isakmp peers",
    isakmp_peers_one: "show crypto isakmp peers 203.0.113.20",
    ipsec_sa: "show crypto ipsec sa",
    ipsec_sa_detail: "show crypto ipsec sa detail",
    ipsec_sa_peer: "show crypto ipsec sa peer 203.0.113.2",
    transform_set: "show crypto ipsec transform-set",
    transform_set_tag: "show crypto ipsec transform-set tag GCM",
    lifetime: "show crypto ipsec security-association lifetime",
    map: "show crypto map",
    session: "show crypto session",
    session_detail: "show crypto session detail",
    session_remote: "show crypto session remote 203.0.113.4 detail",
    flash: "show flash:",
    engine_connections_active: "show crypto engine connections active",
    aliases: "show aliases",
    aliases_of_a_mode: "show aliases interface",
    access_lists: "show access-lists",
    access_list: "show ip access-lists OFFICE",
    archive: "show archive",
    archive_differences: "show archive config differences",
    archive_log_config: "show archive log config all",
    archive_log_config_provisioning: "show archive log config all provisioning",
    archive_log_config_numbers: "show archive log config 5 9 contenttype plaintext",
    archive_log_config_user: "show archive log config user ann session 2",
    archive_log_config_statistics: "show archive log config statistics",
    archive_rollback_timer: "show archive config rollback timer",
    arp: "show arp",
    configuration_lock: "show configuration lock",
    reload: "show reload",
    hosts: "show hosts",
    inventory: "show inventory",
    interfaces_description: "show interfaces description",
    ip_interface: "show ip interface",
    ip_route_summary: "show ip route summary",
    memory_statistics: "show memory statistics",
    processes_cpu: "show processes cpu",
    ip_interface_brief: "show ip interface brief",
    interface_map: "show interface-map",
    interfaces: "show interfaces",
    ip_route: "show ip route",
    ip_route_address: "show ip route 172.30.1.9",
    version: "show version",
    logging: "show logging",
    clock: "show clock",
    history: "show history",
    debugging: "show debugging",
    crypto_debug_condition: "show crypto debug-condition",
    privilege: "show privilege",
    sessions: "show sessions",
    terminal: "show terminal",
    users: "show users",
    users_all: "show users all",
    line: "show line",
    line_one: "show line vty 1",
    startup_config: "show startup-config",
    running_config_interface: "show running-config interface Gi0/1",
    running_config_all: "show running-config all",
}

#[test]
fn nothing_up_prints_the_titles_only() {
    let nothing = |snapshot: &mut Snapshot| {
        snapshot.ike_sas = part(Vec::new());
        snapshot.flows = part(Vec::new());
        snapshot.failures = part(Vec::new());
        snapshot.startup = lazy(|| None);
        snapshot.debugging = Debugging::default();
    };
    same_as(
        "isakmp_sa_empty.txt",
        &screen_with("show crypto isakmp sa", nothing),
    );
    assert_eq!(
        screen_with("show crypto session", nothing),
        "Crypto session current status\n\n"
    );
    assert_eq!(
        screen_with("show crypto ipsec sa", nothing),
        "\nNo SAs found\n"
    );
    assert_eq!(screen_with("show crypto isakmp peers", nothing), "");
    assert_eq!(
        screen_with("show startup-config", nothing),
        "startup-config is not present\n"
    );
    assert_eq!(screen_with("show debugging", nothing), "");
}

#[test]
fn one_interface_or_neighbour_may_be_named() {
    assert_eq!(screen("show ip arp 198.51.100.1").lines().count(), 2);
    assert_eq!(
        screen("show interfaces Gi0/0 description").lines().count(),
        2
    );
    let one = screen("show ip interface GigabitEthernet0/0");
    assert!(one.starts_with("GigabitEthernet0/0 is up"));
    assert!(!one.contains("GigabitEthernet0/1"));
}

#[test]
fn an_interface_may_be_asked_for_by_any_of_its_names() {
    let by_name = screen("show interfaces Gi0/0");
    assert!(by_name.starts_with("GigabitEthernet0/0 is up"), "{by_name}");
    assert!(by_name.contains("\n  Linux device is eth0\n"), "{by_name}");
    for other in ["eth0", "FastEthernet0/0", "GigabitEthernet1"] {
        assert_eq!(
            screen(&format!("show interfaces {other}")),
            by_name,
            "{other}"
        );
    }
    let absent = screen("show interfaces wan9");
    assert!(absent.starts_with("wan9 is down"), "{absent}");
    assert!(!absent.contains("Linux device"), "{absent}");
}

#[test]
fn filters_take_what_they_name() {
    assert_eq!(
        screen("show crypto ipsec sa map OUT"),
        screen("show crypto ipsec sa")
    );
    assert_eq!(
        screen("show crypto ipsec sa interface Gi0/0"),
        screen("show crypto ipsec sa")
    );
    assert_eq!(screen("show crypto ipsec sa map IN"), "\nNo SAs found\n");
    assert_eq!(screen("show crypto map tag OUT"), screen("show crypto map"));
    assert_eq!(
        screen("show crypto map interface Gi0/0"),
        screen("show crypto map")
    );
    assert_eq!(
        screen("show crypto map interface Gi0/1"),
        "No crypto maps found.\n"
    );
    assert_eq!(screen("show ip interface brief wan9").lines().count(), 2);
    assert_eq!(
        screen("show ip route 224.0.0.1"),
        "% Network not in table\n"
    );
}

#[test]
fn tech_support_has_every_part_and_no_secret() {
    let text = screen("show tech-support");
    for part in [
        "show version",
        "show running-config",
        "show crypto session detail",
        "show interfaces",
        "show logging",
    ] {
        assert!(
            text.contains(&format!("------------------ {part} ------------------")),
            "{part}"
        );
    }
    assert!(text.contains("crypto isakmp key <removed> address 203.0.113.1"));
    for secret in ["first-key", "second-key", "any-key", "third-key"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(!screen("show tech-support ipsec").contains("show interfaces"));
}

#[test]
fn flows_printed_as_they_are_read_make_the_same_screen() {
    let (line, all) = ("show crypto ipsec sa", ipsec::Filter::default());
    let none = ipsec::Filter::new(Some([192, 0, 2, 250].into()), None, None);
    for (filter, flows) in [(&all, flows()), (&none, flows()), (&all, Vec::new())] {
        let whole = ipsec::sas(&flows, filter, false);
        let document = |facts: &ipsec::IpsecSas<'_>| {
            let document = Document {
                command: line,
                hostname: "a[]b",
                time: &"2026-11-23T15:32:00.250+00:00[UTC]".parse().unwrap(),
                data: facts,
            };
            document.print()
        };
        let empty = document(&ipsec::sas(&[], filter, false));
        let (mut text, mut json) = (ipsec::Printer::new(false), ipsec::JsonPrinter::new(&empty));
        let (mut in_text, mut in_json) = (String::new(), String::new());
        for some in flows.chunks(2) {
            in_text += &text.more(some, filter);
            in_json += &json.more(some, filter);
        }
        assert_eq!(in_text + text.end(), whole.text());
        assert_eq!(in_json + &json.end(), document(&whole));
    }
}

#[test]
fn the_plaintext_mtu_is_what_still_fits_the_path() {
    // The values that IOS prints for these suites on a path of 1500 octets.
    let fits = |change: fn(&mut IpsecSa)| {
        let text = screen_with("show crypto ipsec sa peer 203.0.113.1", |snapshot| {
            let mut flows = flows();
            flows[0].sas.iter_mut().for_each(change);
            snapshot.flows = part(flows);
        });
        let line = text
            .lines()
            .find(|line| line.contains("plaintext mtu"))
            .unwrap()
            .to_owned();
        line.split([' ', ','])
            .filter(|word| !word.is_empty())
            .nth(2)
            .unwrap()
            .to_owned()
    };
    assert_eq!(fits(|_| {}), "1438");
    assert_eq!(fits(|sa| sa.icv = 12), "1438");
    assert_eq!(
        fits(|sa| (sa.iv, sa.block, sa.transport) = (Some(8), 4, true)),
        "1466"
    );
    assert_eq!(
        fits(|sa| (sa.icv, sa.transport, sa.udp) = (12, true, true)),
        "1442"
    );
}
