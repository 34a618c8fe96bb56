//! The modes of the command line: their prompts, which table of commands each has, where `exit` leads.
//! Used by the console for prompts and by the daemon's sessions; which object a sub-mode edits (the
//! interface, the policy…) is the session's to remember.

use serde::{Deserialize, Serialize};

use crate::command::{Command, ConfigCommand, Form};

/// What is known of a mode.
struct Row {
    suffix: &'static str,
    parent: Option<Mode>,
    title: &'static str,
    indent: usize,
    quit: bool,
}

/// One mode a line: the variant (the table of `IsakmpPolicy` is the rule `isakmp_policy_mode`), its doc, its prompt, where
/// `exit` leads, the line above the list of `?`; then what differs from the usual: `indent` of its lines in the running-config, `quit` that closes it.
macro_rules! modes {
    (@indent) => { 1 };
    (@indent $indent:literal) => { $indent };
    (@quit) => { false };
    (@quit $quit:literal) => { $quit };
    ($($mode:ident $doc:literal $suffix:literal $parent:expr, $title:literal $(indent $indent:literal)? $(quit $quit:literal)?;)+) => {
        /// A mode of the command line.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Mode { $(#[doc = $doc] $mode),+ }

        impl Mode {
            /// Every mode.
            pub const ALL: &'static [Self] = &[$(Self::$mode),+];

            fn row(self) -> Row {
                match self {
                    $(Self::$mode => Row {
                        suffix: $suffix,
                        parent: $parent,
                        title: $title,
                        indent: modes!(@indent $($indent)?),
                        quit: modes!(@quit $($quit)?),
                    }),+
                }
            }
        }
    };
}

const CONFIG: Option<Mode> = Some(Mode::Config);

modes! {
    UserExec "`R1>`" ">" None, "Exec commands:";
    Exec "`R1#`" "#" None, "Exec commands:";
    Config "`R1(config)#`" "(config)#" Some(Mode::Exec), "Configure commands:";
    Interface "`interface`" "(config-if)#" CONFIG, "Interface configuration commands:";
    ExtendedAcl "`ip access-list extended`" "(config-ext-nacl)#" CONFIG, "Ext Access List configuration commands:";
    StandardAcl "`ip access-list standard`" "(config-std-nacl)#" CONFIG, "Standard Access List configuration commands:";
    NetworkGroup "`object-group network`" "(config-network-group)#" CONFIG, "Network object group configuration commands:";
    ServiceGroup "`object-group service`" "(config-service-group)#" CONFIG, "Service object group configuration commands:";
    TimeRange "`time-range`" "(config-time-range)#" CONFIG, "Time range configuration commands:";
    IsakmpPolicy "`crypto isakmp policy`" "(config-isakmp)#" CONFIG, "ISAKMP commands:";
    TransformSet "`crypto ipsec transform-set`" "(cfg-crypto-trans)#" CONFIG, "Crypto transform configuration commands:";
    CryptoMap "`crypto map`" "(config-crypto-map)#" CONFIG, "Crypto Map configuration commands:";
    Line "`line`" "(config-line)#" CONFIG, "Line configuration commands:";
    Keyring "`crypto keyring`" "(conf-keyring)#" CONFIG, "Crypto Keyring commands:" indent 2;
    KeyringPubkey "`rsa-pubkey` in it" "(config-pubkey-key)#" Some(Mode::Keyring), "Public key commands:" indent 3;
    KeyringPubkeyString "`key-string` in it" "(config-pubkey)#" Some(Mode::KeyringPubkey), "Public key in hexadecimal:" indent 4 quit true;
    IsakmpProfile "`crypto isakmp profile`" "(conf-isa-prof)#" CONFIG, "Crypto ISAKMP Profile Commands:" indent 3;
    IsakmpGroup "`crypto isakmp client configuration group`" "(config-isakmp-group)#" CONFIG, "ISAKMP group policy config commands:";
    ClientFirewall "`crypto isakmp client firewall`" "(config-isakmp-client-fw)#" CONFIG, "ISAKMP client firewall policy commands:";
    BrowserProxy "`crypto isakmp client configuration browser-proxy`" "(config-isakmp-browser-proxy)#" CONFIG, "ISAKMP browser proxy commands:";
    IsakmpPeer "`crypto isakmp peer`" "(config-isakmp-peer)#" CONFIG, "ISAKMP peer commands:";
    IpsecProfile "`crypto ipsec profile`" "(ipsec-profile)#" CONFIG, "IPSec Profile configuration commands:";
    DynamicMap "`crypto dynamic-map`" "(config-crypto-map)#" CONFIG, "Crypto Map configuration commands:";
    MapFailClose "`crypto map NAME gdoi fail-close`" "(crypto-map-fail-close)#" CONFIG, "Crypto Map fail-close commands:";
    Ezvpn "`crypto ipsec client ezvpn`" "(config-crypto-ezvpn)#" CONFIG, "Easy VPN configuration commands:";
    Ikev2Proposal "`crypto ikev2 proposal`" "(config-ikev2-proposal)#" CONFIG, "IKEv2 Proposal commands:";
    Ikev2Policy "`crypto ikev2 policy`" "(config-ikev2-policy)#" CONFIG, "IKEv2 Policy commands:";
    Ikev2Profile "`crypto ikev2 profile`" "(config-ikev2-profile)#" CONFIG, "IKEv2 profile commands:";
    Ikev2Keyring "`crypto ikev2 keyring`" "(config-ikev2-keyring)#" CONFIG, "IKEv2 Keyring commands:";
    Ikev2KeyringPeer "`peer` in it" "(config-ikev2-keyring-peer)#" Some(Mode::Ikev2Keyring), "IKEv2 Keyring Peer commands:" indent 2;
    Ikev2AuthorPolicy "`crypto ikev2 authorization policy`" "(config-ikev2-author-policy)#" CONFIG, "IKEv2 Authorization Policy commands:";
    Ikev2NameMangler "`crypto ikev2 name-mangler`" "(config-ikev2-mangler)#" CONFIG, "IKEv2 name mangler commands:";
    Ikev2Flexvpn "`crypto ikev2 client flexvpn`" "(config-ikev2-flexvpn)#" CONFIG, "IKEv2 FlexVPN client commands:";
    Ikev2Cluster "`crypto ikev2 cluster`" "(config-ikev2-cluster)#" CONFIG, "IKEv2 cluster commands:";
    PkiTrustpoint "`crypto pki trustpoint`" "(ca-trustpoint)#" CONFIG, "CA trustpoint configuration commands:";
    PkiCertificateMap "`crypto pki certificate map`" "(ca-certificate-map)#" CONFIG, "CA certificate map configuration commands:";
    PkiCertificateChain "`crypto pki certificate chain`" "(config-cert-chain)#" CONFIG, "Certificate chain commands:";
    PkiHex "`certificate` in it" "(config-pki-hexmode)#" Some(Mode::PkiCertificateChain), "Certificate in hexadecimal:" indent 2 quit true;
    PkiServer "`crypto pki server`" "(cs-server)#" CONFIG, "Certificate Server configuration commands:";
    PkiTrustpool "`crypto pki trustpool policy`" "(ca-trustpool)#" CONFIG, "CA trustpool configuration commands:";
    PkiProfile "`crypto pki profile enrollment`" "(ca-profile-enroll)#" CONFIG, "CA enrollment profile configuration commands:";
    PubkeyChain "`crypto key pubkey-chain rsa`" "(config-pubkey-chain)#" CONFIG, "Public key chain commands:";
    PubkeyKey "`addressed-key`, `named-key`" "(config-pubkey-key)#" Some(Mode::PubkeyChain), "Public key commands:" indent 2;
    PubkeyString "`key-string` in it" "(config-pubkey)#" Some(Mode::PubkeyKey), "Public key in hexadecimal:" indent 3 quit true;
    Vpdn "`vpdn-group`" "(config-vpdn)#" CONFIG, "VPDN group configuration commands:";
    VpdnAcceptDialin "`accept-dialin` in it" "(config-vpdn-acc-in)#" Some(Mode::Vpdn), "VPDN group accept dialin configuration commands:" indent 2;
    VpdnRequestDialin "`request-dialin` in it" "(config-vpdn-req-in)#" Some(Mode::Vpdn), "VPDN group request dialin configuration commands:" indent 2;
    VpdnAcceptDialout "`accept-dialout` in it" "(config-vpdn-acc-ou)#" Some(Mode::Vpdn), "VPDN group accept dialout configuration commands:" indent 2;
    VpdnRequestDialout "`request-dialout` in it" "(config-vpdn-req-ou)#" Some(Mode::Vpdn), "VPDN group request dialout configuration commands:" indent 2;
    AaaServerGroup "`aaa group server radius`" "(config-sg-radius)#" CONFIG, "Server group commands:";
    RadiusServer "`radius server`" "(config-radius-server)#" CONFIG, "RADIUS server sub-mode commands:";
    RadiusDynamicAuthor "`aaa server radius dynamic-author`" "(config-locsvr-da-radius)#" CONFIG, "RADIUS Application commands:";
    AaaAttributeList "`aaa attribute list`" "(config-attr-list)#" CONFIG, "AAA attribute list config commands:";
    Vrf "`vrf definition`, `ip vrf`" "(config-vrf)#" CONFIG, "VPN Routing/Forwarding instance configuration commands:";
    VrfFamily "`address-family` in it" "(config-vrf-af)#" Some(Mode::Vrf), "IP VPN Routing/Forwarding instance configuration commands:" indent 2;
    Archive "`archive`" "(config-archive)#" CONFIG, "Archive configuration commands:";
    ArchiveLog "`log config` in it" "(config-archive-log-cfg)#" Some(Mode::Archive), "Archive log configuration commands:" indent 2;
    Redundancy "`redundancy`" "(config-red)#" CONFIG, "Redundancy configuration commands:";
    ControlPlane "`control-plane`" "(config-cp)#" CONFIG, "Control Plane configuration commands:";
    DhcpPool "`ip dhcp pool`" "(dhcp-config)#" CONFIG, "DHCP pool configuration commands:";
}

impl Mode {
    /// What follows the host name in the prompt.
    pub fn prompt_suffix(self) -> &'static str {
        self.row().suffix
    }

    /// The whole prompt: in configuration modes the host name is cut to 20 characters.
    pub fn prompt(self, hostname: &str) -> String {
        let limit = if self.is_config() { 20 } else { usize::MAX };
        let name: String = hostname.chars().take(limit).collect();
        name + self.prompt_suffix()
    }

    /// Global configuration or one of its sub-modes.
    pub fn is_config(self) -> bool {
        !matches!(self, Self::UserExec | Self::Exec)
    }

    /// Where `exit` leads; `None` for EXEC, where it closes the session.
    pub fn parent(self) -> Option<Self> {
        self.row().parent
    }

    /// The modes whose commands are understood in a configuration mode: itself, then each above it up to global
    /// configuration. For EXEC itself alone.
    pub fn tables(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |mode| {
            mode.parent().filter(|above| above.is_config())
        })
    }

    /// How many modes are above it in configuration: 0 for global configuration.
    pub fn depth(self) -> usize {
        self.tables().count() - 1
    }

    /// By how many blanks running-config indents the lines of the mode.
    pub fn indent(self) -> usize {
        self.row().indent
    }

    /// The block holds bare data that `quit` ends, such as a certificate: it is always given whole.
    pub fn is_verbatim(self) -> bool {
        self.row().quit
    }

    /// The line that closes the block in the running-config.
    pub fn closing(self) -> Option<&'static str> {
        match self {
            Self::VrfFamily => Some("exit-address-family"),
            mode => mode.is_verbatim().then_some("\tquit"),
        }
    }

    /// The line above the list that `?` gives at the start of the mode.
    pub(crate) fn title(self) -> &'static str {
        self.row().title
    }

    /// The mode after a command that was done: sub-modes are entered and left, `exit` goes one level
    /// up, `end` to EXEC. What EXEC commands do to the mode (`enable`, `configure terminal`) is the
    /// session's to say.
    pub fn after(self, command: &Command) -> Self {
        match command {
            Command::Config(line) => match &line.command {
                // Also one typed in a sub-mode, which it leaves.
                ConfigCommand::Global(_) => line.enters().unwrap_or(Self::Config),
                ConfigCommand::Retained(retained) => match retained.enters() {
                    Some(inner) if line.form == Form::Set => inner,
                    _ => retained.mode(),
                },
                _ => self,
            },
            Command::Exit => self.parent().unwrap_or(self),
            Command::End => Self::Exec,
            Command::Empty | Command::Exec(_) | Command::Do(_) => self,
        }
    }
}
