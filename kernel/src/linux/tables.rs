//! Policy hash thresholds: without them older kernels (6.1) walk a list for every policy that is not of single hosts: 10 s for
//! the policies of 10,000 tunnels instead of 2 s.

use netlink_packet_xfrm::constants as c;

use super::channel::{Channel, Refusal};
use super::frame::{Frame, attributes};

/// Prefix lengths from which on a policy is hashed: (our side, their side). Our side is often short or `any`, and few;
/// their side tells tunnels apart. Policies with shorter prefixes still work, from a list.
const IPV4: [u8; 2] = [0, 24];
const IPV6: [u8; 2] = [0, 56];

/// What the kernel starts with: only single hosts are hashed. Anything else is an operator's choice and stays.
const IPV4_DEFAULT: [u8; 2] = [32, 32];
const IPV6_DEFAULT: [u8; 2] = [128, 128];

/// Sets our thresholds where the kernel's defaults stand.
pub(super) async fn tune(xfrm: &Channel) -> Result<(), Refusal> {
    let flags = [0xff; 4];
    let mut ask = Frame::empty(c::XFRM_MSG_GETSPDINFO);
    ask.body.extend_from_slice(&flags);
    let answer = xfrm.get(ask).await?;
    let mut set = Frame::empty(c::XFRM_MSG_NEWSPDINFO);
    set.body.extend_from_slice(&flags);
    let mut changes = false;
    for (kind, value) in attributes(answer.body.get(4..).unwrap_or_default()) {
        let wanted = match kind {
            c::XFRMA_SPD_IPV4_HTHRESH if value == IPV4_DEFAULT => IPV4,
            c::XFRMA_SPD_IPV6_HTHRESH if value == IPV6_DEFAULT => IPV6,
            _ => continue,
        };
        set = set.attribute(kind, &[&wanted]);
        changes = true;
    }
    if changes {
        xfrm.execute(vec![set])
            .await
            .into_iter()
            .collect::<Result<Vec<()>, _>>()?;
    }
    Ok(())
}
