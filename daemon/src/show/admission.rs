//! `show crypto call admission statistics` and `show crypto isakmp statistics`: what was let in, what was turned away, and what
//! was dropped for which reason. Called by `show`.

use std::fmt::Write;

use ike::config::AdmissionLimits;
use ike::event::DropReason;
use ike::status::Tally;
use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use super::snapshot::Admission;

/// `show crypto call admission statistics`.
#[derive(Serialize, JsonSchema)]
pub struct CallAdmission {
    /// `ike sa`: the most IKE SAs; 0 without a limit.
    max_ike_sas: u32,
    /// `in-negotiation-sa`: the most IKE SAs being negotiated.
    max_in_negotiation: u32,
    /// `ipsec sa`: the most tunnels; 0 without a limit.
    max_ipsec_sas: u32,
    /// IKE SAs that are up.
    ike_active: u64,
    /// IKE SAs being negotiated.
    ike_negotiating: u64,
    /// Phase 1 that peers began.
    incoming_ike: Requests,
    /// Phase 1 that the router began.
    outgoing_ike: Requests,
    /// Rejected because of `ike sa`.
    rejected_active_limit: u64,
    /// Rejected because of `in-negotiation-sa`.
    rejected_negotiation_limit: u64,
    /// Datagrams dropped before they were decoded.
    dropped_at_dispatch: u64,
    /// Tunnels that are up.
    ipsec_active: u64,
    /// Tunnels being negotiated.
    ipsec_negotiating: u64,
    /// Tunnels that peers asked for.
    incoming_ipsec: Requests,
    /// Tunnels that the router asked for.
    outgoing_ipsec: Requests,
}

/// Requests and what became of them.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Requests {
    /// All of them.
    requests: u64,
    /// Let in.
    accepted: u64,
    /// Turned away.
    rejected: u64,
}

impl From<Tally> for Requests {
    fn from(tally: Tally) -> Self {
        Self {
            requests: tally.asked(),
            accepted: tally.accepted,
            rejected: tally.rejected,
        }
    }
}

/// The counts of call admission control.
pub fn call_admission(admission: &Admission) -> CallAdmission {
    let counts = &admission.counts;
    let limits = counts.limits;
    let most = limits.negotiations.unwrap_or(AdmissionLimits::NEGOTIATIONS);
    CallAdmission {
        max_ike_sas: limits.ike_sas.unwrap_or(0),
        max_in_negotiation: most,
        max_ipsec_sas: limits.children.unwrap_or(0),
        ike_active: counts.ike_active as u64,
        ike_negotiating: counts.ike_negotiating as u64,
        incoming_ike: counts.incoming_ike.into(),
        outgoing_ike: counts.outgoing_ike.into(),
        rejected_active_limit: counts.rejected_by_ike_limit,
        rejected_negotiation_limit: counts.rejected_by_negotiation_limit,
        dropped_at_dispatch: counts.dropped_at_dispatch,
        ipsec_active: counts.children_active as u64,
        ipsec_negotiating: counts.children_negotiating as u64,
        incoming_ipsec: counts.incoming_children.into(),
        outgoing_ipsec: counts.outgoing_children.into(),
    }
}

const RULE: &str = "---------------------------------------------------------------------";

impl Facts for CallAdmission {
    fn text(&self) -> String {
        let (ike, ipsec) = (23, 25);
        let total = |width: usize, what: &str, active: u64, negotiating: u64| {
            let sum = active + negotiating;
            format!("{what:<width$}{sum:>8} active:   {active:>8} negotiating: {negotiating:>5}\n")
        };
        let requests = |width: usize, what: &str, of: &Requests| {
            let Requests {
                requests,
                accepted,
                rejected,
            } = of;
            format!(
                "{what:<width$}{requests:>8} accepted: {accepted:>8} rejected:    {rejected:>5}\n"
            )
        };
        let refused = self.rejected_active_limit + self.rejected_negotiation_limit;
        let mut text =
            format!("{RULE}\n               Crypto Call Admission Control Statistics\n{RULE}\n");
        let _ = writeln!(
            text,
            "System Resource Limit: {:>8} Max IKE SAs: {:>5} Max in nego: {:>5}",
            0, self.max_ike_sas, self.max_in_negotiation
        );
        text += &total(
            ike,
            "Total IKE SA Count:",
            self.ike_active,
            self.ike_negotiating,
        );
        text += &requests(ike, "Incoming IKE Requests:", &self.incoming_ike);
        text += &requests(ike, "Outgoing IKE Requests:", &self.outgoing_ike);
        let _ = write!(
            text,
            "Rejected IKE Requests: {refused:>8} rsrc low: {:>8} Active SA limit: {}\n{:51}In-neg SA limit: {}\n",
            0, self.rejected_active_limit, "", self.rejected_negotiation_limit
        );
        let _ = write!(
            text,
            "IKE packets dropped at dispatch: {:>8}\n\nMax IPSEC SAs: {:>5}\n",
            self.dropped_at_dispatch, self.max_ipsec_sas
        );
        text += &total(
            ipsec,
            "Total IPSEC SA Count:",
            self.ipsec_active,
            self.ipsec_negotiating,
        );
        text += &requests(ipsec, "Incoming IPSEC Requests:", &self.incoming_ipsec);
        text += &requests(ipsec, "Outgoing IPSEC Requests:", &self.outgoing_ipsec);
        let _ = write!(
            text,
            "SA Strength Enforcement Rejects:  incoming: {:>8} outgoing: {:>8}\n\n\
             Phase1.5 SAs under negotiation: {:>9}\n",
            0, 0, 0
        );
        text
    }
}

/// `show crypto isakmp statistics`.
#[derive(Serialize, JsonSchema)]
pub struct IsakmpStatistics {
    /// First messages answered without keeping the negotiation, because there were many.
    answered_without_state: u64,
    /// Negotiations that gave way to newer ones.
    gave_way: u64,
    /// Datagrams dropped since the daemon started.
    dropped: u64,
    /// The same by reason, each reason once.
    reasons: Vec<Dropped>,
}

/// Datagrams dropped for one reason.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Dropped {
    /// The reason in words.
    reason: &'static str,
    /// How many.
    datagrams: u64,
}

/// What became of datagrams that were of no use.
pub fn isakmp(admission: &Admission) -> IsakmpStatistics {
    let one = |reason: &DropReason| Dropped {
        reason: reason.words(),
        datagrams: admission.dropped.get(reason).copied().unwrap_or(0),
    };
    IsakmpStatistics {
        answered_without_state: admission.counts.answered_without_state,
        gave_way: admission.counts.gave_way,
        dropped: admission.dropped.values().sum(),
        reasons: DropReason::ALL.iter().map(one).collect(),
    }
}

impl Facts for IsakmpStatistics {
    fn text(&self) -> String {
        let line = |what: &str, count: u64| format!("{what:<54}{count:>12}\n");
        let mut text = line(
            "First messages answered without keeping state:",
            self.answered_without_state,
        );
        text += &line("Negotiations that gave way to newer ones:", self.gave_way);
        text += &line("Datagrams dropped:", self.dropped);
        for one in &self.reasons {
            text += &line(&format!("  {}:", one.reason), one.datagrams);
        }
        text
    }
}
