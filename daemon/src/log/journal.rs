//! The journal's native protocol: one datagram an entry, one field a line, or a length for a value with line ends
//! (systemd, "Native Journal Protocol"). Written by the thread of [`super::console`].

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use super::Message;

/// Where the journal listens.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";

/// Whether standard error leads to the journal: `JOURNAL_STREAM` has its device and inode.
pub(super) fn reads_stderr() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").ok();
    let named = stream.as_deref().and_then(|text| text.split_once(':'));
    let ours = std::fs::metadata("/dev/fd/2").ok();
    named.zip(ours).is_some_and(|((device, inode), ours)| {
        device.parse() == Ok(ours.dev()) && inode.parse() == Ok(ours.ino())
    })
}

/// The entry of one message.
pub(super) fn entry(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    field(&mut bytes, "MESSAGE", &message.to_string());
    field(
        &mut bytes,
        "PRIORITY",
        &message.severity().number().to_string(),
    );
    field(&mut bytes, "SYSLOG_IDENTIFIER", "isthmusd");
    field(&mut bytes, "SYSLOG_PID", &std::process::id().to_string());
    field(&mut bytes, "ISTHMUS_SEVERITY", message.severity().name());
    if let Message::System {
        facility,
        mnemonic,
        peer,
        ..
    } = message
    {
        field(&mut bytes, "ISTHMUS_FACILITY", facility);
        field(&mut bytes, "ISTHMUS_MNEMONIC", mnemonic);
        if let Some(peer) = peer {
            field(&mut bytes, "ISTHMUS_PEER", &peer.to_string());
        }
    }
    bytes
}

fn field(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        bytes.push(b'\n');
        bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        bytes.push(b'=');
    }
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

/// The connection to the journal, made again after a restart of it.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

impl Journal {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, socket: None }
    }

    /// Sends one entry; it waits while the journal's queue is full, and is lost when there is no journal.
    pub(super) fn send(&mut self, entry: &[u8]) {
        for _ in 0..2 {
            if self.socket.is_none() {
                self.socket = self.connect().ok();
            }
            let Some(socket) = &self.socket else {
                return;
            };
            match socket.send(entry) {
                Err(error) if error.kind() != ErrorKind::Interrupted => self.socket = None,
                Err(_) => {}
                Ok(_) => return,
            }
        }
    }

    fn connect(&self) -> std::io::Result<UnixDatagram> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(&self.path)?;
        Ok(socket)
    }
}
