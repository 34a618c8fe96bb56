//! The crypto map entries that are on interfaces, with everything they refer to looked up. The [`Source`] of [`super::units`].

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use ike::algorithm::{EspCipher, Integrity, Mode};
use ike::config::{ChildLifetime, DfBit, EspTransform, TransformSet};
use ike::registry::GroupNumber;
use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{
    self, AclId, AclRule, Action, AesBits, Encapsulation, Hash, IpProtocol, PeerName, RetainedLine,
    Section, StandardRule, Transform,
};
use isthmus_grammar::secrets::shown;

use super::entry::Entry;
use super::selector::Line;
use super::source::{Gathered, Name, NameHash, Places, Source};
use super::unknown::{self, Header, Unknown};
use crate::config::model::{
    self, AccessList, AclLine, DynamicEntry, Kept, MapNames, Numbered, ObjectGroups, Running,
};
use crate::machine::interfaces::InterfaceTable;

/// The crypto maps of a configuration on a machine, entry by entry.
pub struct Gather<'a> {
    running: &'a Running,
    table: &'a InterfaceTable,
    names: MapNames<'a>,
    needed_by_maps: HashMap<&'a str, String>,
    unknown: Unknown<'a>,
    groups: OnceCell<ObjectGroups>,
    dynamic_maps: OnceCell<HashMap<&'a str, Vec<DynamicEntry<'a>>>>,
}

impl<'a> Gather<'a> {
    /// Looks up what all entries have in common.
    #[must_use]
    pub fn new(running: &'a Running, table: &'a InterfaceTable) -> Self {
        Self {
            running,
            table,
            names: running.map_names(),
            needed_by_maps: needed_by_maps(running),
            unknown: Unknown::of(running),
            groups: OnceCell::new(),
            dynamic_maps: OnceCell::new(),
        }
    }

    /// About how many lines all entries have.
    #[must_use]
    pub fn all(&self) -> usize {
        let maps = self.running.crypto.maps.iter();
        let sizes = maps.map(|(name, map)| {
            let entries = map.entries.keys();
            entries
                .map(|number| self.size(name, *number))
                .sum::<usize>()
        });
        sizes.sum()
    }

    /// About how many lines the entry with this number has.
    #[must_use]
    pub fn size(&self, map: &str, sequence: u16) -> usize {
        let entry = self.running.crypto.maps.get(map);
        let entry = entry.and_then(|map| map.entries.get(&sequence));
        let list = entry.and_then(|entry| entry.match_address.as_ref());
        let list = list.and_then(|list| self.running.access_lists.get(list));
        list.map_or(1, AccessList::len)
    }
}

impl Source for Gather<'_> {
    fn places(&self) -> Places {
        let Self { running, table, .. } = self;
        let mut places = Places::default();
        let mut applied = HashSet::new();
        for (name, lines) in running.interfaces.iter() {
            let maps = unknown::maps(lines, &self.names);
            if maps.is_empty() {
                continue;
            }
            let (index, gone) = match table.acting(name) {
                Some(interface) => (interface.link.index, None),
                None => (0, Some(table.why_not(name))),
            };
            for (not_understood, map_name) in maps {
                applied.insert(map_name);
                let map = running.crypto.maps.get(map_name);
                let source = map.and_then(|map| map.local_address.as_ref());
                let whole_map = match &lines.map_redundancy {
                    Some((group, _)) => Some(format!("crypto map {map_name} redundancy {group}")),
                    None => self.needed_by_maps.get(map_name).cloned(),
                };
                places.places.push(Entry {
                    index,
                    gone: gone.clone(),
                    local: local_address(running, table, source.unwrap_or(name)),
                    inactive: whole_map,
                    unknown: not_understood.map(|text| shown(text, "...")),
                    ..blank(running, name.to_string(), map_name)
                });
            }
        }
        for (header, map_name) in unknown::interfaces(running, &self.names) {
            applied.insert(map_name);
            let header = shown(header, "...");
            places.places.push(Entry {
                gone: Some(format!("line \"{header}\" is not understood")),
                ..blank(running, header, map_name)
            });
        }
        // Those whose interface is gone stand together, behind all others.
        places.places.sort_by_key(|place| place.gone.is_some());
        places.problems = unapplied(running, &applied);
        places
    }

    fn sequences(&self, place: &Entry) -> BTreeSet<u16> {
        let map = self.running.crypto.maps.get(&place.map);
        let known = map.into_iter().flat_map(|map| map.entries.keys().copied());
        let headers = self.unknown.entries(&place.map);
        known.chain(headers.map(|header| header.sequence)).collect()
    }

    fn entries(&self, place: &Entry, sequence: u16) -> Gathered {
        let mut gathered = Gathered::default();
        let sources = Sources {
            of: self,
            used: RefCell::default(),
        };
        let headers = self.unknown.entries(&place.map);
        // Of two with one number the one that only blocks comes first.
        for header in headers.filter(|header| header.sequence == sequence) {
            gathered.entries.push(Entry {
                sequence,
                unknown: Some(shown(header.text, "...")),
                access_list: header.access_lists.join(" "),
                rules: sources.below(header),
                ..place.clone()
            });
        }
        let map = self.running.crypto.maps.get(&place.map);
        if let Some(entry) = map.and_then(|map| map.entries.get(&sequence)) {
            gathered.entry(&sources, place, sequence, entry);
        }
        if self.running.crypto.df_bit == command::DfBit::Set && !gathered.entries.is_empty() {
            gathered.problems.push(
                "crypto ipsec df-bit set: Linux cannot set the DF bit of packets that come without it; it is copied, as with \
                 crypto ipsec df-bit copy"
                    .into(),
            );
        }
        gathered.used = sources.used.into_inner();
        gathered
    }
}

/// Maps that protect nothing, because no line could put them on an interface.
fn unapplied(running: &Running, applied: &HashSet<&str>) -> Vec<String> {
    let maps = running.crypto.maps.keys();
    let maps = maps.filter(|name| !applied.contains(name.as_str()));
    maps.map(|name| format!("crypto map {name} is on no interface: it protects nothing"))
        .collect()
}

/// What every entry of a map on an interface begins with.
fn blank(running: &Running, interface: String, map: &str) -> Entry {
    Entry {
        interface,
        index: 0,
        gone: None,
        map: map.to_owned(),
        sequence: 0,
        local: None,
        inactive: None,
        unknown: None,
        peers: Vec::new(),
        default_peer: false,
        access_list: String::new(),
        rules: Vec::new(),
        transform_sets: Vec::new(),
        pfs: None,
        lifetime: lifetime(running, &Default::default()),
        replay_window: running.crypto.replay.0.map_or(0, u32::from),
        df_bit: df_bit(running.crypto.df_bit),
    }
}

impl Gathered {
    /// What one entry of a map is on an interface; `place` has what all of them have in common.
    fn entry(
        &mut self,
        sources: &Sources<'_, '_>,
        place: &Entry,
        sequence: u16,
        entry: &model::Entry,
    ) {
        let running = sources.of.running;
        let common = Entry {
            sequence,
            inactive: inactive(entry).or_else(|| place.inactive.clone()),
            pfs: entry.pfs.map(|group| GroupNumber(group.number())),
            lifetime: lifetime(running, &entry.lifetime),
            ..place.clone()
        };
        for (access_list, rules) in self.dynamic(&common.name(), entry, sources) {
            let found = Entry {
                access_list,
                rules,
                ..common.clone()
            };
            self.add(sources, entry, found);
        }
        let Some(rules) = sources.rules(entry.match_address.as_ref(), &entry.kept) else {
            if entry.kind.dynamic_map().is_none() {
                let name = common.name();
                self.problems
                    .push(format!("{name} has no match address: it protects nothing"));
            }
            return;
        };
        let found = Entry {
            access_list: entry.match_address.clone().unwrap_or_default(),
            rules,
            ..common
        };
        self.add(sources, entry, found);
    }

    /// What the entries of the dynamic map that an entry names are for: the access-list, and its lines.
    fn dynamic(
        &mut self,
        name: &str,
        entry: &model::Entry,
        sources: &Sources<'_, '_>,
    ) -> Vec<(AclId, Vec<Line>)> {
        let Some(map) = entry.kind.dynamic_map() else {
            return Vec::new();
        };
        let headers = sources.of.unknown.dynamic(map);
        let mut found: Vec<(AclId, Vec<Line>)> = headers
            .map(|header| (header.access_lists.join(" "), sources.below(header)))
            .collect();
        let entries = sources.of.dynamic_maps().get(map);
        if entries.is_none() && found.is_empty() {
            let text = format!("{name}: crypto dynamic-map {map} does not exist");
            self.problems.push(text);
        }
        for entry in entries.into_iter().flatten() {
            let list = entry.match_address.as_ref();
            match sources.rules(list, entry.kept) {
                Some(rules) => found.push((list.cloned().unwrap_or_default(), rules)),
                None => self.problems.push(format!(
                    "{name}: crypto dynamic-map {map} {} has no match address: it names no traffic, so none is dropped \
                     while dynamic maps are not active",
                    entry.sequence
                )),
            }
        }
        found
    }

    fn add(&mut self, sources: &Sources<'_, '_>, entry: &model::Entry, mut found: Entry) {
        let sets = &sources.of.running.crypto.transform_sets;
        for peer in &entry.peers {
            match peer {
                PeerName::Address(address) => found.peers.push(*address),
                PeerName::Hostname(host) => self.problems.push(format!(
                    "{}: set peer {host}: names are not looked up; write the address",
                    found.name()
                )),
            }
        }
        if let Some(PeerName::Address(default)) = entry.default_peer {
            found.default_peer = true;
            found.peers.sort_by_key(|peer| *peer != default);
        }
        for name in &entry.transform_sets {
            sources.uses(Name::TransformSet(name));
            match sets.get(name).and_then(|set| transform_set(name, set)) {
                Some(set) => found.transform_sets.push(set),
                None => self.problems.push(format!(
                    "{}: transform-set {name} cannot be used: it does not exist or has comp-lzs or esp-seal",
                    found.name()
                )),
            }
        }
        if found.rules.is_empty() {
            self.problems.push(format!(
                "{}: access-list {} does not exist or has no lines; the entry protects nothing",
                found.name(),
                found.access_list
            ));
        }
        self.entries.push(found);
    }
}

/// The line of an entry without which it must not act.
fn inactive(entry: &model::Entry) -> Option<String> {
    if !entry.kind.is_active() {
        return Some(entry.kind.to_string());
    }
    entry.retained.needed().map(RetainedLine::for_messages)
}

/// The first line of each crypto map without which no entry of it must act.
fn needed_by_maps(running: &Running) -> HashMap<&str, String> {
    let mut needed = HashMap::new();
    for line in running.retained.in_section(Section::MapSettings) {
        let map = line.words().split(' ').nth(2).unwrap_or_default();
        if line.is_needed() {
            needed.entry(map).or_insert_with(|| line.for_messages());
        }
    }
    needed
}

/// The address that tunnels of an interface start from: the configured one, or what the kernel has.
fn local_address(
    running: &Running,
    table: &InterfaceTable,
    name: &InterfaceName,
) -> Option<IpAddr> {
    let configured = running.interfaces.get(name).and_then(|lines| lines.address);
    match configured {
        Some(net) => Some(net.addr().into()),
        None => table.find(name)?.primary(),
    }
}

/// Where the lines of access-lists come from, for one entry.
struct Sources<'g, 'a> {
    of: &'g Gather<'a>,
    used: RefCell<BTreeSet<NameHash>>,
}

impl<'a> Gather<'a> {
    fn dynamic_maps(&self) -> &HashMap<&'a str, Vec<DynamicEntry<'a>>> {
        self.dynamic_maps
            .get_or_init(|| self.running.dynamic_maps())
    }

    fn groups(&self) -> &ObjectGroups {
        self.groups.get_or_init(|| self.running.object_groups())
    }
}

impl Sources<'_, '_> {
    fn uses(&self, name: Name<'_>) {
        self.used.borrow_mut().insert(name.key());
    }

    /// A list by its name; what becomes of it concerns the entry, there or not.
    fn access_list(&self, name: &str) -> Option<&AccessList> {
        self.uses(Name::AccessList(name));
        self.of.running.access_lists.get(name)
    }

    /// The lines that say which traffic an entry is for; `None` when none does.
    fn rules(&self, list: Option<&AclId>, kept: &Kept) -> Option<Vec<Line>> {
        let mut rules = Vec::new();
        let kept = kept.iter().map(|line| line.text.as_str());
        for line in unknown::matching(list.is_some(), kept) {
            let words = line.split_whitespace();
            let lists: Vec<&AccessList> = words.filter_map(|word| self.access_list(word)).collect();
            if lists.is_empty() {
                rules.push(Line::everything(line));
            } else {
                let permits: Vec<AclRule> = lists.into_iter().flat_map(could_permit).collect();
                rules.extend(Line::could_permit(line, &permits));
            }
        }
        match list {
            Some(list) => rules.extend(self.list(list)),
            None if rules.is_empty() => rules.extend(self.strays()),
            None => {}
        }
        (list.is_some() || !rules.is_empty()).then_some(rules)
    }

    /// What an entry without `match address` could be for.
    fn strays(&self) -> Vec<Line> {
        let strays = self.of.unknown.strays();
        let lines = strays.filter_map(|(line, list)| {
            let list = self.access_list(list)?;
            Line::could_permit(line, &could_permit(list))
        });
        lines.collect()
    }

    /// What an entry is for whose header is not understood.
    fn below(&self, header: &Header<'_>) -> Vec<Line> {
        if header.access_lists.is_empty() {
            return vec![Line::everything(header.text)];
        }
        let lists = header.access_lists.iter();
        lists.flat_map(|list| self.list(list)).collect()
    }

    /// The lines of a list, then what could be more of it.
    fn list(&self, name: &str) -> Vec<Line> {
        fn each<R: Clone + Eq + std::hash::Hash>(
            list: &Numbered<R>,
            of: impl Fn(&R) -> Line,
        ) -> Vec<Line> {
            let line = |line: &AclLine<R>| match line {
                AclLine::Rule(rule) => Some(of(rule)),
                AclLine::Unknown(line) => Line::unknown(line),
                AclLine::Remark(_) => None,
            };
            list.lines().filter_map(|(_, one)| line(one)).collect()
        }
        let groups = self.of.groups();
        let mut lines = match self.access_list(name) {
            None => Vec::new(),
            Some(AccessList::Extended(list)) => each(list, |rule| Line::of(rule, groups)),
            Some(AccessList::Standard(list)) => {
                each(list, |rule| Line::of(&extended(rule), groups))
            }
        };
        lines.extend(self.of.unknown.lines(name));
        lines
    }
}

/// Everything that a list could protect, if it is the one that is meant.
fn could_permit(list: &AccessList) -> Vec<AclRule> {
    fn of<R>(line: &AclLine<R>, rule: impl Fn(&R) -> AclRule) -> Option<AclRule> {
        match line {
            AclLine::Rule(known) => Some(rule(known)).filter(|rule| rule.action == Action::Permit),
            AclLine::Unknown(line) => line.may(Action::Permit).then(|| line.reach().clone()),
            AclLine::Remark(_) => None,
        }
    }
    match list {
        AccessList::Extended(list) => list
            .lines()
            .filter_map(|(_, l)| of(l, AclRule::clone))
            .collect(),
        AccessList::Standard(list) => list.lines().filter_map(|(_, l)| of(l, extended)).collect(),
    }
}

/// A standard line says only where packets come from.
fn extended(rule: &StandardRule) -> AclRule {
    AclRule {
        action: rule.action,
        source: rule.source.clone(),
        ..AclRule::permit(IpProtocol::ANY)
    }
}

fn lifetime(running: &Running, own: &model::Lifetime) -> ChildLifetime {
    let global = &running.crypto.lifetime;
    ChildLifetime {
        seconds: own.seconds(global),
        kilobytes: own.kilobytes(global),
    }
}

fn df_bit(df_bit: command::DfBit) -> DfBit {
    match df_bit {
        command::DfBit::Clear => DfBit::Clear,
        command::DfBit::Copy => DfBit::Copy,
        command::DfBit::Set => DfBit::Set,
    }
}

/// The engine's form of a transform set; `None` for one that no Linux kernel can do.
fn transform_set(name: &str, set: &model::TransformSet) -> Option<TransformSet> {
    let mut cipher = None;
    let mut integrity = None;
    let mut ah = None;
    for transform in &set.transforms {
        match *transform {
            Transform::Ah(hash) => ah = Some(hmac(hash)),
            Transform::EspAuth(hash) => integrity = Some(hmac(hash)),
            Transform::EspSeal | Transform::CompLzs => return None,
            other => cipher = Some(esp_cipher(other)?),
        }
    }
    let esp = match (cipher, integrity) {
        (None, None) => None,
        (cipher, integrity) => Some(EspTransform {
            cipher: cipher.unwrap_or(EspCipher::Null),
            integrity,
        }),
    };
    let (mode, require_transport) = match set.mode {
        Encapsulation::Tunnel => (Mode::Tunnel, false),
        Encapsulation::Transport { require } => (Mode::Transport, require),
    };
    Some(TransformSet {
        name: name.to_owned(),
        ah,
        esp,
        mode,
        require_transport,
    })
}

fn esp_cipher(transform: Transform) -> Option<EspCipher> {
    Some(match transform {
        Transform::EspDes => EspCipher::Des,
        Transform::Esp3des => EspCipher::TripleDes,
        Transform::EspNull => EspCipher::Null,
        Transform::EspAes(AesBits::B128) => EspCipher::Aes128,
        Transform::EspAes(AesBits::B192) => EspCipher::Aes192,
        Transform::EspAes(AesBits::B256) => EspCipher::Aes256,
        Transform::EspGcm(AesBits::B128) => EspCipher::AesGcm128,
        Transform::EspGcm(AesBits::B192) => EspCipher::AesGcm192,
        Transform::EspGcm(AesBits::B256) => EspCipher::AesGcm256,
        Transform::EspGmac(AesBits::B128) => EspCipher::AesGmac128,
        Transform::EspGmac(AesBits::B192) => EspCipher::AesGmac192,
        Transform::EspGmac(AesBits::B256) => EspCipher::AesGmac256,
        _ => return None,
    })
}

fn hmac(hash: Hash) -> Integrity {
    match hash {
        Hash::Md5 => Integrity::HmacMd5,
        Hash::Sha => Integrity::HmacSha1,
        Hash::Sha256 => Integrity::HmacSha256,
        Hash::Sha384 => Integrity::HmacSha384,
        Hash::Sha512 => Integrity::HmacSha512,
    }
}
