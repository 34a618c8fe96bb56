//! `crypto call admission limit`: how many SAs there may be. The lines are kept as they are typed; this reads them.

use ike::config::AdmissionLimits;
use isthmus_grammar::Rule;

use super::Running;

impl Running {
    /// The limits for the engine. There is no IKEv2 beside IKEv1 yet, so that `all in-negotiation-sa` limits the same as
    /// `ike in-negotiation-sa` and the lower of the two counts.
    pub fn admission_limits(&self) -> AdmissionLimits {
        let limit = |what: &str| -> Option<u32> {
            let key = format!("crypto call admission limit {what}");
            let entry = self.retained.find(Rule::r_call_admission, &key)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use crate::config::render;

    fn limits(text: &str) -> AdmissionLimits {
        let (running, problems) = load::load(text, "test");
        assert_eq!(problems, []);
        let inactive = render::inactive(&running, &render::Options::default());
        assert!(inactive.is_empty(), "{inactive:?}");
        running.admission_limits()
    }

    #[test]
    fn every_limit_acts() {
        let found = limits(
            "crypto call admission limit ike sa 25\n\
             crypto call admission limit ike in-negotiation-sa 40\n\
             crypto call admission limit all in-negotiation-sa 30\n\
             crypto call admission limit ipsec sa 99\n",
        );
        assert_eq!(
            (found.ike_sas, found.negotiations, found.children),
            (Some(25), Some(30), Some(99))
        );
        assert_eq!(limits(""), AdmissionLimits::default());
        let none = limits("crypto call admission limit ike sa 0\n");
        assert_eq!(none, AdmissionLimits::default());
        let later = limits(
            "crypto call admission limit ike sa 25\ncrypto call admission limit ike sa 26\n",
        );
        assert_eq!(later.ike_sas, Some(26));
        let taken_back = limits(
            "crypto call admission limit ike sa 25\nno crypto call admission limit ike sa\n",
        );
        assert_eq!(taken_back, AdmissionLimits::default());
    }
}
