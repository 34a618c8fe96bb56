//! `show crypto engine connections active`. Called by `show`.

use std::fmt::Write;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use super::snapshot::{Flow, IkeSa, IkeSuite, IpsecSa};

/// `show crypto engine connections active`.
#[derive(Serialize, JsonSchema)]
pub struct Connections {
    /// One for each SA: IPsec SAs first, then IKE SAs, by number.
    connections: Vec<Connection>,
}

/// One SA as the engine counts it.
#[derive(Serialize, JsonSchema)]
struct Connection {
    /// The number the operator knows it by.
    conn_id: u32,
    /// What it carries: `IPsec` or `IKE`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its algorithms, such as `AES256+SHA`; empty before they are agreed.
    algorithm: String,
    /// Packets or messages encrypted.
    encrypted: u64,
    /// Packets or messages decrypted.
    decrypted: u64,
    /// The last sequence number seen or sent.
    last_sequence_number: u64,
    /// Our address.
    local_address: IpAddr,
}

/// The connections of all flows and IKE SAs.
pub fn connections_active(flows: &[Flow], sas: &[IkeSa]) -> Connections {
    let of_flow = |flow: &Flow| {
        let local = flow.local;
        flow.sas
            .iter()
            .map(move |sa| ipsec(local, sa))
            .collect::<Vec<_>>()
    };
    let mut connections: Vec<Connection> = flows.iter().flat_map(of_flow).collect();
    connections.sort_by_key(|one| one.conn_id);
    let mut ike: Vec<&IkeSa> = sas.iter().filter(|sa| sa.conn_id != 0).collect();
    ike.sort_by_key(|sa| sa.conn_id);
    connections.extend(ike.into_iter().map(|sa| Connection {
        conn_id: sa.conn_id,
        kind: "IKE",
        algorithm: sa.suite.as_ref().map_or_else(String::new, algorithm),
        encrypted: sa.encrypted_messages,
        decrypted: sa.decrypted_messages,
        last_sequence_number: 0,
        local_address: sa.local.ip(),
    }));
    Connections { connections }
}

fn ipsec(local_address: IpAddr, sa: &IpsecSa) -> Connection {
    let (encrypted, decrypted) = if sa.inbound {
        (0, sa.packets)
    } else {
        (sa.packets, 0)
    };
    Connection {
        conn_id: sa.conn_id,
        kind: "IPsec",
        algorithm: sa.algorithm.clone(),
        encrypted,
        decrypted,
        last_sequence_number: sa.sequence,
        local_address,
    }
}

/// `SHA+AES256`
fn algorithm(suite: &IkeSuite) -> String {
    let bits = suite
        .key_bits
        .filter(|bits| suite.encryption == "aes" && *bits != 128);
    let bits = bits.map_or_else(String::new, |bits| bits.to_string());
    let (hash, cipher) = (suite.hash.to_uppercase(), suite.encryption.to_uppercase());
    format!("{hash}+{cipher}{bits}")
}

impl Facts for Connections {
    fn text(&self) -> String {
        let mut text = String::from(
            "Crypto Engine Connections\n\n   ID  Type    Algorithm           Encrypt  Decrypt LastSeqN IP-Address\n",
        );
        for one in &self.connections {
            let _ = writeln!(
                text,
                "{:>5}  {:<5}   {:<18} {:>8} {:>8} {:>8} {}",
                one.conn_id,
                one.kind,
                one.algorithm,
                one.encrypted,
                one.decrypted,
                one.last_sequence_number,
                one.local_address
            );
        }
        text.push('\n');
        text
    }
}
