//! Every protocol number of IKEv1 and the IPsec DOI, once: the number, the RFC's name, the word an IOS console
//! prints for it, and the RFC section. Used by `wire` (to name what it decodes), by the exchanges (to compare),
//! and by the daemon (to print debug lines and `show` screens).
//!
//! A number is a newtype around its wire width, so an unknown value stays representable and printable.

use crate::algorithm::IpsecProtocol;

/// One row of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The number on the wire.
    pub number: u32,
    /// The name the RFC gives it.
    pub rfc: &'static str,
    /// The word an IOS console uses for it in `show` and `debug`.
    pub ios: &'static str,
    /// Where it is defined.
    pub section: &'static str,
}

macro_rules! registry {
    ($(#[$doc:meta])* $name:ident($int:ty), $what:literal;
     $($konst:ident = $number:literal, $rfc:literal, $ios:literal, $section:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub struct $name(pub $int);

        impl $name {
            $(#[doc = concat!($rfc, " (", $section, ").")]
            pub const $konst: Self = Self($number);)*

            /// Every number this registry names, in ascending order.
            pub const TABLE: &'static [Entry] = &[$(Entry {
                number: $number, rfc: $rfc, ios: $ios, section: $section,
            }),*];

            /// The row for this number, if it is a known one.
            pub fn entry(self) -> Option<&'static Entry> {
                let number = u32::from(self.0);
                Self::TABLE.binary_search_by_key(&number, |e| e.number).ok().map(|i| &Self::TABLE[i])
            }

            /// The IOS word, or `unknown` for a number without a row.
            pub fn ios(self) -> &'static str {
                self.entry().map_or("unknown", |e| e.ios)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.entry() {
                    Some(entry) => f.write_str(entry.rfc),
                    None => write!(f, concat!($what, " {}"), self.0),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}({})", self.0)
            }
        }
    };
}

mod v1;

pub use v1::*;

impl From<IpsecProtocol> for ProtocolId {
    fn from(protocol: IpsecProtocol) -> Self {
        match protocol {
            IpsecProtocol::Ah => Self::AH,
            IpsecProtocol::Esp => Self::ESP,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_ascending_so_the_lookup_finds_every_row() {
        fn check(table: &[Entry]) {
            assert!(table.windows(2).all(|w| w[0].number < w[1].number));
            assert!(
                table
                    .iter()
                    .all(|e| !e.rfc.is_empty() && !e.ios.is_empty() && !e.section.is_empty())
            );
        }
        check(ExchangeType::TABLE);
        check(PayloadType::TABLE);
        check(Doi::TABLE);
        check(ProtocolId::TABLE);
        check(IkeAttribute::TABLE);
        check(EncryptionAlgorithm::TABLE);
        check(HashAlgorithm::TABLE);
        check(AuthenticationMethod::TABLE);
        check(GroupNumber::TABLE);
        check(LifeType::TABLE);
        check(IsakmpTransformId::TABLE);
        check(AhTransformId::TABLE);
        check(EspTransformId::TABLE);
        check(IpcompTransformId::TABLE);
        check(IpsecAttribute::TABLE);
        check(EncapsulationMode::TABLE);
        check(AuthenticationAlgorithm::TABLE);
        check(IdType::TABLE);
        check(CertificateEncoding::TABLE);
        check(NotifyType::TABLE);
    }

    #[test]
    fn numbers_print_their_name_or_themselves() {
        assert_eq!(
            NotifyType::NO_PROPOSAL_CHOSEN.to_string(),
            "NO-PROPOSAL-CHOSEN"
        );
        assert_eq!(NotifyType::NO_PROPOSAL_CHOSEN.ios(), "PROPOSAL_NOT_CHOSEN");
        assert_eq!(NotifyType(9999).to_string(), "notify type 9999");
        assert_eq!(EspTransformId::AES_CBC.ios(), "ESP_AES");
        assert_eq!(format!("{:?}", GroupNumber(14)), "2048-bit MODP group(14)");
    }
}
