//! The order of the running-config at the global level. Retained rules name their place with it (`@section`); the daemon
//! prints in this order.

words! {
    /// The sections of the running-config, in the order in which they are printed.
    pub enum Section {
        /// Before everything.
        Top => "top",
        /// `version`.
        Version => "version",
        /// `service`.
        Services => "services",
        /// `platform`.
        Platform => "platform",
        /// `hostname`.
        Hostname => "hostname",
        /// The boot markers.
        Boot => "boot",
        /// `vrf definition`.
        Vrf => "vrf",
        /// `logging buffered` and its kin.
        LocalLogging => "local-logging",
        /// `enable secret`.
        Enable => "enable",
        /// `aaa`.
        Aaa => "aaa",
        /// `clock`.
        Clock => "clock",
        /// `ip domain`, name servers, forwarding switches.
        Domain => "domain",
        /// `ip dhcp pool`.
        PoolsDhcp => "pools-dhcp",
        /// `vpdn`.
        Vpdn => "vpdn",
        /// `crypto pki trustpoint`.
        PkiTrustpoints => "pki-trustpoints",
        /// `crypto pki certificate map`.
        PkiMaps => "pki-maps",
        /// `crypto pki certificate chain`.
        PkiChains => "pki-chains",
        /// `crypto pki server`.
        PkiServers => "pki-servers",
        /// `license`.
        License => "license",
        /// `archive`, `file prompt`.
        Files => "files",
        /// `login`, `password encryption`.
        Login => "login",
        /// `username`.
        Users => "users",
        /// `redundancy`.
        Redundancy => "redundancy",
        /// `object-group`.
        ObjectGroups => "object-groups",
        /// `crypto ikev2`.
        Ikev2 => "ikev2",
        /// `crypto logging`.
        CryptoLogging => "crypto-logging",
        /// `crypto call admission`.
        CallAdmission => "call-admission",
        /// `crypto keyring`.
        Keyrings => "keyrings",
        /// `crypto key pubkey-chain`.
        Pubkeys => "pubkeys",
        /// `crypto isakmp policy`.
        IsakmpPolicies => "isakmp-policies",
        /// Other lines of `crypto isakmp`.
        IsakmpGlobals => "isakmp-globals",
        /// `crypto isakmp peer` and `crypto isakmp client configuration group`.
        IsakmpGroups => "isakmp-groups",
        /// `crypto isakmp profile`.
        IsakmpProfiles => "isakmp-profiles",
        /// `crypto ipsec security-association`.
        IpsecLifetime => "ipsec-lifetime",
        /// `crypto ipsec transform-set`.
        TransformSets => "transform-sets",
        /// Other lines of `crypto ipsec`.
        IpsecGlobals => "ipsec-globals",
        /// `crypto ipsec profile`.
        IpsecProfiles => "ipsec-profiles",
        /// `crypto ipsec client ezvpn`.
        Ezvpn => "ezvpn",
        /// `crypto dynamic-map`.
        DynamicMaps => "dynamic-maps",
        /// Lines about whole crypto maps.
        MapSettings => "map-settings",
        /// Entries of crypto maps.
        CryptoMaps => "crypto-maps",
        /// `interface`.
        Interfaces => "interfaces",
        /// Routing protocols.
        Routers => "routers",
        /// `ip local pool`.
        Pools => "pools",
        /// `ip forward-protocol` and its kin.
        Forwarding => "forwarding",
        /// `ip http`.
        Http => "http",
        /// `ip nat`.
        Nat => "nat",
        /// `ip route`.
        Routes => "routes",
        /// `ip ssh`.
        Ssh => "ssh",
        /// Named access-lists.
        NamedLists => "named-lists",
        /// `logging host` and its kin.
        RemoteLogging => "remote-logging",
        /// Numbered access-lists.
        NumberedLists => "numbered-lists",
        /// `route-map`.
        RouteMaps => "route-maps",
        /// `snmp-server`.
        Snmp => "snmp",
        /// `radius server`.
        Radius => "radius",
        /// `control-plane`.
        ControlPlane => "control-plane",
        /// `banner`.
        Banners => "banners",
        /// `alias`.
        Aliases => "aliases",
        /// `privilege`.
        Privileges => "privileges",
        /// `line`.
        Lines => "lines",
        /// `ntp`.
        Ntp => "ntp",
        /// `time-range`.
        TimeRanges => "time-ranges",
    }
}
