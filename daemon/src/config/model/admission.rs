//! `crypto call admission limit`: how many SAs there may be. The lines are kept as they are typed; this reads them.

use ike::config::AdmissionLimits;

use super::Running;

impl Running {
    /// The limits for the engine. There is no IKEv2 beside IKEv1 yet, so that `all in-negotiation-sa` limits the same as
    /// `ike in-negotiation-sa` and the lower of the two counts.
    pub fn admission_limits(&self) -> AdmissionLimits {
        let limit = |what: &str| -> Option<u32> {
            let key = format!("crypto call admission limit {what}");
            let entry = self.retained.find("r_call_admission", &key)?;
            entry.line.words().rsplit(' ').next()?.parse().ok()
        };
        // 0 is no limit.
        let unless_zero = |limit: Option<u32>| limit.filter(|most| *most > 0);
        let negotiations = [
            limit("ike in-negotiation-sa"),
            limit("all in-negotiation-sa"),
        ];
        AdmissionLimits {
            ike_sas: unless_zero(limit("ike sa")),
            negotiations: negotiations.into_iter().flatten().min(),
            children: unless_zero(limit("ipsec sa")),
        }
    }
}
