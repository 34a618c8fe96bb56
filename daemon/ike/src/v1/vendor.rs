//! Vendor ids that mean something to us or to a reader of debug lines.

use crate::wire::v1::Payload;

/// Dead peer detection, version 1.0 (RFC 3706 5.1).
const DPD: [u8; 16] = [
    0xAF, 0xCA, 0xD7, 0x13, 0x68, 0xA1, 0xF1, 0xC9, 0x6B, 0x86, 0x96, 0xFC, 0x77, 0x57, 0x01, 0x00,
];

/// Beginnings of vendor ids and their names.
const KNOWN: &[(&[u8], &str)] = &[
    (&DPD, "DPD"),
    // MD5("RFC 3947") (RFC 3947 3.1)
    (
        &[
            0x4A, 0x13, 0x1C, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5C, 0x57, 0x28, 0xF2, 0x0E, 0x95,
            0x45, 0x2F,
        ],
        "NAT-T RFC 3947",
    ),
    (&[0x09, 0x00, 0x26, 0x89, 0xDF, 0xD6, 0xB7, 0x12], "XAUTH"),
];

/// The payload that announces dead peer detection.
pub(crate) fn dpd() -> Payload {
    Payload::VendorId(DPD.to_vec())
}

/// True when the vendor id announces dead peer detection. The last two bytes are a version.
pub(crate) fn is_dpd(id: &[u8]) -> bool {
    id.len() == DPD.len() && id[..14] == DPD[..14]
}

/// The name of a vendor id.
pub(crate) fn name(id: &[u8]) -> Option<&'static str> {
    KNOWN
        .iter()
        .find(|(start, _)| id.starts_with(start))
        .map(|(_, name)| *name)
}
