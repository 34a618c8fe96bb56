//! What can be said of a configuration as a whole, without a machine and without a plan. `isthmus --check` prints it below
//! the lines, after what [`crate::plan::dry`] says of the crypto maps.

use super::model::Running;

/// Everything that is legal and surely not meant, in the words of the log; one text for each fault.
pub fn findings(running: &Running) -> Vec<String> {
    let mut findings = Vec::new();
    policies(running, &mut findings);
    findings
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
