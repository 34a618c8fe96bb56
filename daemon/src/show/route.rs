//! `show ip route`. Called by `show`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use super::snapshot::{Route, RouteSource};

const CODES: &str = "\
Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP
       D - EIGRP, EX - EIGRP external, O - OSPF, IA - OSPF inter area\x20
       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2
       E1 - OSPF external type 1, E2 - OSPF external type 2
       i - IS-IS, su - IS-IS summary, L1 - IS-IS level-1, L2 - IS-IS level-2
       ia - IS-IS inter area, * - candidate default, U - per-user static route
       o - ODR, P - periodic downloaded static route, H - NHRP, l - LISP
       a - application route
       + - replicated route, % - next hop override, p - overrides from PfR

";

/// `show ip route`.
#[derive(Serialize, JsonSchema)]
pub struct Table<'a> {
    /// The next hop of the default route; absent when there is none.
    gateway_of_last_resort: Option<Ipv4Addr>,
    /// All routes, by network and source.
    routes: Vec<&'a Route>,
}

/// The whole table.
pub fn table(routes: &[Route]) -> Table<'_> {
    let default = routes.iter().find(|route| route.net.prefix_len() == 0);
    let mut routes: Vec<&Route> = routes.iter().collect();
    routes.sort_by_key(|route| {
        let net = route.net;
        (
            major(net),
            net.addr(),
            net.prefix_len(),
            route.source,
            route.via,
        )
    });
    Table {
        gateway_of_last_resort: default.map(|route| route.via.unwrap_or(Ipv4Addr::UNSPECIFIED)),
        routes,
    }
}

impl Facts for Table<'_> {
    fn text(&self) -> String {
        let mut text = String::from(CODES);
        let _ = match self.gateway_of_last_resort {
            Some(via) => writeln!(text, "Gateway of last resort is {via} to network 0.0.0.0\n"),
            None => writeln!(text, "Gateway of last resort is not set\n"),
        };
        for members in self.routes.chunk_by(|a, b| major(a.net) == major(b.net)) {
            group(&mut text, major(members[0].net), members);
        }
        text
    }
}

/// One line a source and destination; more next hops of the same destination below each other.
fn group(text: &mut String, network: Ipv4Net, members: &[&Route]) {
    let whole = |route: &Route| route.net.prefix_len() <= network.prefix_len();
    let subnets: Vec<&Route> = members
        .iter()
        .copied()
        .filter(|route| !whole(route))
        .collect();
    let nets: BTreeSet<Ipv4Net> = members.iter().map(|route| route.net).collect();
    let masks: BTreeSet<u8> = nets.iter().map(|net| net.prefix_len()).collect();
    let mut one_mask = false;
    match (subnets.is_empty(), masks.len()) {
        (true, _) => {}
        (false, 1) => {
            one_mask = true;
            let length = subnets[0].net.prefix_len();
            let _ = writeln!(
                text,
                "      {}/{length} is subnetted, {} subnets",
                network.addr(),
                nets.len()
            );
        }
        (false, count) => {
            let _ = writeln!(
                text,
                "      {network} is variably subnetted, {} subnets, {count} masks",
                nets.len()
            );
        }
    }
    let mut previous: Option<&Route> = None;
    for &route in members {
        let same =
            previous.is_some_and(|before| before.net == route.net && before.source == route.source);
        let code = match route.source {
            RouteSource::Connected => "C",
            RouteSource::Local => "L",
            RouteSource::Static => "S",
        };
        let star = if route.net.prefix_len() == 0 { "*" } else { "" };
        let width = if subnets.is_empty() { 6 } else { 9 };
        let destination = if one_mask {
            route.net.addr().to_string()
        } else {
            route.net.to_string()
        };
        let mut lead = format!("{:<width$}{destination}", format!("{code}{star}"));
        if same {
            lead = " ".repeat(lead.len());
        }
        let _ = writeln!(text, "{lead} {}", target(route));
        previous = Some(route);
    }
}

fn target(route: &Route) -> String {
    let (distance, metric) = (route.distance, route.metric);
    let interface = route.interface.as_deref();
    match (route.source, route.via) {
        (RouteSource::Static, Some(via)) => match interface {
            Some(name) => format!("[{distance}/{metric}] via {via}, {name}"),
            None => format!("[{distance}/{metric}] via {via}"),
        },
        _ => format!("is directly connected, {}", interface.unwrap_or("Null0")),
    }
}

/// The class A, B or C network that a route lies in (RFC 791 section 2.3), as the table is grouped by it.
fn major(net: Ipv4Net) -> Ipv4Net {
    let length = match net.addr().octets()[0] {
        0 => 0,
        1..=127 => 8,
        128..=191 => 16,
        192..=223 => 24,
        _ => 32,
    };
    let length = length.min(net.prefix_len());
    Ipv4Net::new(net.addr(), length).map_or(net, |major| major.trunc())
}

/// `show ip route summary`: networks are routes to whole class A, B or C networks and wider, subnets all others. What they
/// cost in memory only the kernel knows, and it does not say. Of several next hops the kernel uses the first that is alive.
#[derive(Serialize, JsonSchema)]
pub struct Summary {
    /// Routes to the networks of interfaces and to their addresses.
    connected: Count,
    /// All other routes.
    #[serde(rename = "static")]
    fixed: Count,
    /// Both.
    total: Count,
}

/// How many routes there are.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(inline)]
struct Count {
    /// Routes to whole class A, B or C networks and wider.
    networks: usize,
    /// All others.
    subnets: usize,
}

/// The routes counted by their source.
pub fn summary(routes: &[Route]) -> Summary {
    let count = |connected: bool| {
        let of_source = routes
            .iter()
            .filter(|route| (route.source != RouteSource::Static) == connected);
        let nets: BTreeSet<Ipv4Net> = of_source.map(|route| route.net).collect();
        let networks = nets
            .iter()
            .filter(|net| net.prefix_len() <= major(**net).prefix_len())
            .count();
        Count {
            networks,
            subnets: nets.len() - networks,
        }
    };
    let (connected, fixed) = (count(true), count(false));
    Summary {
        connected,
        fixed,
        total: Count {
            networks: connected.networks + fixed.networks,
            subnets: connected.subnets + fixed.subnets,
        },
    }
}

impl Facts for Summary {
    fn text(&self) -> String {
        let mut text = String::from(
            "IP routing table name is default (0x0)\n\
             IP routing table maximum-paths is 1\n\
             Route Source    Networks    Subnets     Replicates  Overhead    Memory (bytes)\n",
        );
        for (name, count) in [
            ("connected", self.connected),
            ("static", self.fixed),
            ("Total", self.total),
        ] {
            let Count { networks, subnets } = count;
            let _ = writeln!(
                text,
                "{name:<15} {networks:<11} {subnets:<11} {:<11} {:<11} {}",
                0, 0, 0
            );
        }
        text
    }
}

/// `show ip route ADDRESS`.
#[derive(Serialize, JsonSchema)]
pub struct Entry<'a> {
    /// The routes to the longest prefix that has the address, one for each next hop; empty when only the default
    /// route has it, or none.
    routes: Vec<&'a Route>,
}

/// The longest match.
pub fn entry(routes: &[Route], address: Ipv4Addr) -> Entry<'_> {
    let best = routes
        .iter()
        .filter(|route| route.net.contains(&address))
        .max_by_key(|route| route.net.prefix_len());
    let best = best.filter(|route| route.net.prefix_len() > 0);
    let same = |route: &&Route| {
        best.is_some_and(|best| route.net == best.net && route.source == best.source)
    };
    Entry {
        routes: routes.iter().filter(same).collect(),
    }
}

impl Facts for Entry<'_> {
    fn text(&self) -> String {
        let Some(best) = self.routes.first() else {
            return "% Network not in table\n".to_string();
        };
        let (known, how) = match best.source {
            RouteSource::Static => ("static", ""),
            _ => ("connected", " (connected, via interface)"),
        };
        let (net, distance, metric) = (best.net, best.distance, best.metric);
        let mut text = format!(
            "Routing entry for {net}\n  \
             Known via \"{known}\", distance {distance}, metric {metric}{how}\n  \
             Routing Descriptor Blocks:\n"
        );
        for (index, route) in self.routes.iter().enumerate() {
            let mark = if index == 0 { '*' } else { ' ' };
            let hop = match (route.via, route.interface.as_deref()) {
                (Some(via), Some(name)) => format!("{via}, via {name}"),
                (Some(via), None) => via.to_string(),
                (None, name) => format!("directly connected, via {}", name.unwrap_or("Null0")),
            };
            let _ = writeln!(
                text,
                "  {mark} {hop}\n      Route metric is {metric}, traffic share count is 1"
            );
        }
        text
    }
}
