//! `show crypto engine connections active`. Called by the control session.

use std::fmt::Write;

use super::snapshot::{Flow, IkeSa};

/// One line a connection: IPsec SAs first, then IKE SAs, by number.
pub fn connections_active(flows: &[Flow], sas: &[IkeSa]) -> String {
    let mut text = String::from(
        "Crypto Engine Connections\n\n   ID  Type    Algorithm           Encrypt  Decrypt LastSeqN IP-Address\n",
    );
    let mut ipsec: Vec<_> = flows
        .iter()
        .flat_map(|flow| flow.sas.iter().map(move |sa| (flow, sa)))
        .collect();
    ipsec.sort_by_key(|(_, sa)| sa.conn_id);
    for (flow, sa) in ipsec {
        let (out, inbound) = if sa.inbound {
            (0, sa.packets)
        } else {
            (sa.packets, 0)
        };
        line(
            &mut text,
            sa.conn_id,
            "IPsec",
            &sa.algorithm,
            [out, inbound, sa.sequence],
            &flow.local.to_string(),
        );
    }
    let mut ike: Vec<&IkeSa> = sas.iter().filter(|sa| sa.conn_id != 0).collect();
    ike.sort_by_key(|sa| sa.conn_id);
    for sa in ike {
        let algorithm = sa.suite.as_ref().map_or_else(String::new, |suite| {
            let key = if suite.encryption == "aes" {
                suite.key_bits.unwrap_or(128).to_string()
            } else {
                String::new()
            };
            let key = if key == "128" { String::new() } else { key };
            format!(
                "{}+{}{key}",
                suite.hash.to_uppercase(),
                suite.encryption.to_uppercase()
            )
        });
        let counts = [sa.messages.0, sa.messages.1, 0];
        line(
            &mut text,
            sa.conn_id,
            "IKE",
            &algorithm,
            counts,
            &sa.local.ip().to_string(),
        );
    }
    text.push('\n');
    text
}

fn line(text: &mut String, id: u32, kind: &str, algorithm: &str, counts: [u64; 3], address: &str) {
    let [out, inbound, sequence] = counts;
    let _ = writeln!(
        text,
        "{id:>5}  {kind:<5}   {algorithm:<18} {out:>8} {inbound:>8} {sequence:>8} {address}"
    );
}
