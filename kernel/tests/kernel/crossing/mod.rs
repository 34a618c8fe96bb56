//! Packets against real policies and SAs: what leaves protected, what leaves in clear, what does not get through.
//! Hosts with TUN wires; the test carries the packets between them, so it sees every one.

mod pair;
mod policies;
mod probes;
mod sas;
mod six;
mod suites;

use isthmus_kernel::{
    IpsecProtocol, PolicySpec, Reqid, Request, RouteSpec, RouteTarget, Selector, Template,
};

use crate::world::{Host, Wire, net, open_ipv4, tunnel};

/// A router: a wire to its own network, one to a second, and one to the outside.
struct Router {
    host: Host,
    lan: Wire,
    lan2: Wire,
    wan: Wire,
}

impl Router {
    /// Network 10.N.0.0/16 (half on each wire) behind 192.0.2.N; everything else is outside.
    async fn new(n: u8) -> Self {
        let host = Host::new().await;
        host.sysctl("ipv4/ip_forward", "1");
        let lan = host.wire("lan", &format!("10.{n}.0.1/24")).await;
        let lan2 = host.wire("lan2", &format!("10.{n}.1.1/24")).await;
        let wan = host.wire("wan", &format!("192.0.2.{n}/24")).await;
        let default = RouteSpec {
            prefix: net("0.0.0.0/0"),
            target: RouteTarget::Interface("wan".into()),
            metric: 1,
        };
        host.ok(vec![Request::AddRoute(default)]).await;
        Self {
            host,
            lan,
            lan2,
            wan,
        }
    }

    async fn protect(&self, outbound: Selector, rank: u32, templates: &[Template]) {
        let set = PolicySpec::for_crypto_map_line(self.wan.index.get(), outbound, rank, templates);
        self.host
            .ok(set.into_iter().map(Request::SetPolicy).collect())
            .await;
    }

    fn errors(&self, counter: &str) -> u64 {
        self.host.enter();
        self.host.kernel.xfrm_errors().get(counter)
    }
}

fn esp(reqid: u32) -> [Template; 1] {
    [tunnel(
        "192.0.2.1",
        "192.0.2.2",
        IpsecProtocol::Esp,
        Reqid::nth(reqid),
    )]
}

/// The payload of the next packet on a wire.
async fn heard(wire: &Wire) -> String {
    String::from_utf8_lossy(&open_ipv4(&wire.next().await).3[8..]).into_owned()
}
