//! A TFTP client (RFC 1350, octet mode): sessions and archives fetch and store files with it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// UDP port of a TFTP server.
pub const PORT: u16 = 69;
/// Octets in a full block.
const BLOCK: usize = 512;
/// How long to wait for an answer before the packet is sent again.
const WAIT: Duration = Duration::from_secs(3);
/// How often a packet is sent.
const TRIES: usize = 5;

const READ: u16 = 1;
const WRITE: u16 = 2;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
/// Error code for a packet that belongs to no transfer.
const UNKNOWN_TRANSFER: u16 = 5;

/// A transfer failed.
#[derive(Debug, thiserror::Error)]
pub enum TftpError {
    /// The server did not answer.
    #[error("Timed out")]
    Timeout,
    /// The server refused, in its own words.
    #[error("{0}")]
    Refused(String),
    /// The file is larger than it may be.
    #[error("File too large")]
    TooLarge,
    /// The network failed.
    #[error(transparent)]
    Network(#[from] io::Error),
}

/// Fetches a file of at most `limit` octets.
///
/// # Errors
/// [`TftpError`].
pub async fn get(server: SocketAddr, file: &str, limit: usize) -> Result<Vec<u8>, TftpError> {
    let mut transfer = Transfer::new(server).await?;
    let mut packet = request(READ, file);
    let mut bytes = Vec::new();
    for block in 1..=u16::MAX {
        let answer = transfer.exchange(&packet, DATA, block).await?;
        let data = &answer[4..];
        bytes.extend_from_slice(data);
        if bytes.len() > limit {
            break;
        }
        packet = numbered(ACK, block);
        if data.len() < BLOCK {
            // The last acknowledgement: the server repeats the block if it is lost, and gives up in the end.
            transfer.send(&packet).await?;
            return Ok(bytes);
        }
    }
    transfer.refuse("file too large").await;
    Err(TftpError::TooLarge)
}

/// Stores a file.
///
/// # Errors
/// [`TftpError`].
pub async fn put(server: SocketAddr, file: &str, bytes: &[u8]) -> Result<(), TftpError> {
    if bytes.len() / BLOCK >= usize::from(u16::MAX) {
        return Err(TftpError::TooLarge);
    }
    let mut transfer = Transfer::new(server).await?;
    transfer.exchange(&request(WRITE, file), ACK, 0).await?;
    // A file whose length is a multiple of the block ends with an empty one.
    let blocks = bytes.chunks_exact(BLOCK);
    let last = blocks.remainder();
    for (block, data) in (1..).zip(blocks.chain([last])) {
        let mut packet = numbered(DATA, block);
        packet.extend_from_slice(data);
        transfer.exchange(&packet, ACK, block).await?;
    }
    Ok(())
}

fn request(code: u16, file: &str) -> Vec<u8> {
    let mut packet = code.to_be_bytes().to_vec();
    packet.extend_from_slice(file.as_bytes());
    packet.extend_from_slice(b"\0octet\0");
    packet
}

fn numbered(code: u16, number: u16) -> Vec<u8> {
    [code.to_be_bytes(), number.to_be_bytes()].concat()
}

/// One transfer; the server answers from a port of its own choice.
struct Transfer {
    socket: UdpSocket,
    server: SocketAddr,
    bound: bool,
}

impl Transfer {
    async fn new(server: SocketAddr) -> io::Result<Self> {
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        Ok(Self {
            socket: UdpSocket::bind((any, 0)).await?,
            server,
            bound: false,
        })
    }

    async fn send(&self, packet: &[u8]) -> io::Result<()> {
        self.socket.send_to(packet, self.server).await.map(drop)
    }

    /// Sends a packet until the answer with this code and number comes.
    async fn exchange(
        &mut self,
        packet: &[u8],
        code: u16,
        number: u16,
    ) -> Result<Vec<u8>, TftpError> {
        for _ in 0..TRIES {
            self.send(packet).await?;
            let answer = timeout(WAIT, self.answer(code, number)).await;
            if let Ok(answer) = answer {
                return answer;
            }
        }
        Err(TftpError::Timeout)
    }

    async fn answer(&mut self, code: u16, number: u16) -> Result<Vec<u8>, TftpError> {
        let mut buffer = vec![0; 4 + BLOCK];
        loop {
            let (length, from) = self.socket.recv_from(&mut buffer).await?;
            if from.ip() != self.server.ip() {
                continue;
            }
            if self.bound && from.port() != self.server.port() {
                let mut packet = numbered(ERROR, UNKNOWN_TRANSFER);
                packet.extend_from_slice(b"unknown transfer\0");
                // Not our server; our transfer goes on.
                let _ = self.socket.send_to(&packet, from).await;
                continue;
            }
            let [a, b, c, d, rest @ ..] = &buffer[..length] else {
                continue;
            };
            match (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])) {
                (ERROR, code) => return Err(TftpError::Refused(refusal(code, rest))),
                found if found == (code, number) => {
                    self.server = from;
                    self.bound = true;
                    return Ok(buffer[..length].to_vec());
                }
                // A repetition of what is answered already.
                _ => {}
            }
        }
    }

    /// Tells the server that its file is not wanted.
    async fn refuse(&self, why: &str) {
        let mut packet = numbered(ERROR, 3);
        packet.extend_from_slice(why.as_bytes());
        packet.push(0);
        // The transfer is over for us whether the server hears it or not.
        let _ = self.send(&packet).await;
    }
}

fn refusal(code: u16, text: &[u8]) -> String {
    let known = match code {
        1 => "No such file or directory",
        2 => "Permission denied",
        3 => "No space left on device",
        6 => "File exists",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let text: String = String::from_utf8_lossy(text)
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect();
    match text.trim() {
        "" => format!("Server error {code}"),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use super::*;

    type Files = Arc<Mutex<HashMap<String, Vec<u8>>>>;

    /// A server for one transfer that drops every packet it sends a first time.
    async fn server(files: Files, lossy: bool) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 600];
            let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
            let name = buffer[2..length].split(|byte| *byte == 0).next().unwrap();
            let name = String::from_utf8(name.to_vec()).unwrap();
            let own = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            own.connect(client).await.unwrap();
            let known = files.lock().unwrap().get(&name).cloned();
            match (buffer[1], known) {
                (1, Some(bytes)) => serve(&own, &bytes, lossy).await,
                (1, None) => drop(own.send(b"\0\x05\0\x01nothing\0").await),
                _ => {
                    let bytes = take(&own).await;
                    files.lock().unwrap().insert(name, bytes);
                }
            }
        });
        address
    }

    async fn serve(own: &UdpSocket, bytes: &[u8], lossy: bool) {
        let mut buffer = [0; 600];
        let mut blocks: Vec<&[u8]> = bytes.chunks(BLOCK).collect();
        if bytes.len().is_multiple_of(BLOCK) {
            blocks.push(&[]);
        }
        for (number, block) in (1_u16..).zip(blocks) {
            let packet = [&numbered(DATA, number)[..], block].concat();
            // The block before once more: a repetition must not be taken twice.
            if lossy && number > 1 {
                own.send(&numbered(DATA, number - 1)).await.unwrap();
            }
            own.send(&packet).await.unwrap();
            loop {
                let length = own.recv(&mut buffer).await.unwrap();
                if buffer[..length] == numbered(ACK, number) {
                    break;
                }
            }
        }
    }

    async fn take(own: &UdpSocket) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 600];
        for number in 0_u16.. {
            own.send(&numbered(ACK, number)).await.unwrap();
            if bytes.len() / BLOCK < usize::from(number) {
                return bytes;
            }
            let length = own.recv(&mut buffer).await.unwrap();
            assert_eq!(buffer[..4], numbered(DATA, number + 1));
            bytes.extend_from_slice(&buffer[4..length]);
        }
        bytes
    }

    #[tokio::test]
    async fn files_of_every_length_go_both_ways() {
        for length in [0, 1, 511, 512, 513, 1024, 5000] {
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let files = Files::default();
            let put_to = server(files.clone(), false).await;
            put(put_to, "a.cfg", &bytes).await.unwrap();
            // The server files it away after its last acknowledgement.
            while files.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            let get_from = server(files, true).await;
            assert_eq!(
                get(get_from, "a.cfg", 1 << 20).await.unwrap(),
                bytes,
                "{length}"
            );
        }
    }

    #[tokio::test]
    async fn what_goes_wrong_is_named() {
        let missing = get(server(Files::default(), false).await, "b", 100).await;
        assert_eq!(
            missing.unwrap_err().to_string(),
            "No such file or directory"
        );
        let files = Files::default();
        files.lock().unwrap().insert("big".into(), vec![0; 2000]);
        let large = get(server(files, false).await, "big", 1000).await;
        assert_eq!(large.unwrap_err().to_string(), "File too large");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_given_up() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let error = put(silent.local_addr().unwrap(), "a", b"x")
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "Timed out");
    }
}
