//! What can be said of a configuration without a machine to run it on. `isthmus --check` prints it below the lines; what
//! needs the machine's interfaces is complained of by `translate/`.

use super::model::Running;

/// Everything that is legal and surely not meant, in the words of the log; one text for each fault.
pub fn findings(running: &Running) -> Vec<String> {
    let mut findings = Vec::new();
    unused_maps(running, &mut findings);
    entries(running, &mut findings);
    policies(running, &mut findings);
    findings
}

fn unused_maps(running: &Running, findings: &mut Vec<String>) {
    let applied = |name: &String| {
        let mut interfaces = running.interfaces.iter();
        interfaces.any(|(_, one)| one.crypto_map.as_ref() == Some(name))
    };
    let unused = running.crypto.maps.keys().filter(|name| !applied(name));
    findings.extend(
        unused.map(|name| {
            format!("crypto map {name} is applied to no interface: it protects nothing")
        }),
    );
}

fn entries(running: &Running, findings: &mut Vec<String>) {
    for (name, map) in &running.crypto.maps {
        for (sequence, entry) in &map.entries {
            let lacks = [
                (entry.peers.is_empty(), "set peer"),
                (entry.match_address.is_none(), "match address"),
                (entry.transform_sets.is_empty(), "set transform-set"),
            ];
            let lacks: Vec<&str> = lacks
                .into_iter()
                .filter(|(missing, _)| *missing && entry.kind.is_active())
                .map(|(_, what)| what)
                .collect();
            if !lacks.is_empty() {
                findings.push(format!(
                    "crypto map {name} {sequence} is incomplete: it has no {}",
                    lacks.join(" and no ")
                ));
            }
        }
    }
}

fn policies(running: &Running, findings: &mut Vec<String>) {
    let applied = running.interfaces.with_crypto_map() > 0;
    if applied && !running.crypto.isakmp_enabled {
        findings.push(
            "no crypto isakmp enable: no tunnel comes up, what crypto maps protect is dropped"
                .to_owned(),
        );
    }
}
