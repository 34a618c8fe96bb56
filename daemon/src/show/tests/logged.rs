//! What operators of the router in `world` configured.

use isthmus_grammar::Mode;

use crate::router::config_log::{LoggedCommand, Memory, Opening, Statistics};
use crate::show::config_log::ConfigLog;

pub(super) fn config_log() -> ConfigLog {
    let archive = [("archive", Mode::Archive), ("log config", Mode::ArchiveLog)];
    let chain = [
        ("crypto pki certificate chain CA", Mode::PkiCertificateChain),
        ("certificate ca 01", Mode::PkiHex),
    ];
    let loopback = [("interface Loopback0", Mode::Interface)];
    let banner = "banner motd ^C\nKeep out\n^C";
    let command = |(index, session, modes, command, enters): Typed<'_>| LoggedCommand {
        index,
        session,
        user: if session == 1 { "console" } else { "ann" }.to_owned(),
        line: if session == 1 { "console" } else { "vty0" }.to_owned(),
        time: "2026-11-23T15:30:00.250+00:00[UTC]".parse().unwrap(),
        modes: modes.iter().map(opening).collect(),
        command: command.to_owned(),
        return_code: 0,
        table: modes.last().map_or(Mode::Config, |(_, mode)| *mode),
        enters,
    };
    let typed: [Typed<'_>; 11] = [
        (1, 1, &archive, "logging enable", None),
        (2, 1, &archive, "logging size 200", None),
        (3, 1, &[], "interface Loopback0", Some(Mode::Interface)),
        (4, 2, &[], "username bob secret *****", None),
        (5, 1, &loopback, "no shutdown", None),
        (6, 1, &loopback, "mtu 1400", None),
        (7, 1, &[], chain[0].0, Some(Mode::PkiCertificateChain)),
        (8, 1, &chain[..1], chain[1].0, Some(Mode::PkiHex)),
        (9, 1, &chain, "3082A0", None),
        (10, 1, &[], banner, None),
        (11, 1, &chain[..1], "no certificate ca 01", None),
    ];
    ConfigLog {
        enabled: true,
        commands: typed.into_iter().map(command).collect(),
        statistics: Statistics {
            sessions: 2,
            session_memory: Memory {
                held_bytes: 211,
                allocated_bytes: 312,
                freed_bytes: 101,
            },
            commands: 11,
            command_memory: Memory {
                held_bytes: 4_508,
                allocated_bytes: 4_711,
                freed_bytes: 203,
            },
        },
    }
}

/// A command of the log: its numbers, the modes that it is in, its words, the mode that it opens.
type Typed<'a> = (u64, u64, &'a [(&'a str, Mode)], &'a str, Option<Mode>);

fn opening((command, mode): &(&str, Mode)) -> Opening {
    Opening {
        command: (*command).to_owned(),
        mode: *mode,
    }
}
