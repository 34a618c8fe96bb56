//! The numbers of IKEv1 and the IPsec DOI.

use std::fmt;

use super::Entry;

registry! {
    /// Exchange type of the ISAKMP header.
    ExchangeType(u8), "exchange type";
    BASE = 1, "Base", "Base", "RFC 2408 4.4";
    IDENTITY_PROTECTION = 2, "Identity Protection", "Main", "RFC 2408 4.5";
    AUTHENTICATION_ONLY = 3, "Authentication Only", "Authentication", "RFC 2408 4.6";
    AGGRESSIVE = 4, "Aggressive", "Aggressive", "RFC 2408 4.7";
    INFORMATIONAL = 5, "Informational", "Informational", "RFC 2408 4.8";
    TRANSACTION = 6, "Transaction", "Transaction", "draft-ietf-ipsec-isakmp-mode-cfg";
    QUICK_MODE = 32, "Quick Mode", "Quick", "RFC 2409 5.5";
    NEW_GROUP_MODE = 33, "New Group Mode", "New group", "RFC 2409 5.6";
}

registry! {
    /// Type of a payload, as the `Next Payload` fields carry it.
    PayloadType(u8), "payload";
    NONE = 0, "NONE", "NONE", "RFC 2408 3.1";
    SA = 1, "Security Association", "SA", "RFC 2408 3.4";
    PROPOSAL = 2, "Proposal", "PROPOSAL", "RFC 2408 3.5";
    TRANSFORM = 3, "Transform", "TRANSFORM", "RFC 2408 3.6";
    KEY_EXCHANGE = 4, "Key Exchange", "KE", "RFC 2408 3.7";
    IDENTIFICATION = 5, "Identification", "ID", "RFC 2408 3.8";
    CERTIFICATE = 6, "Certificate", "CERT", "RFC 2408 3.9";
    CERTIFICATE_REQUEST = 7, "Certificate Request", "CERT_REQ", "RFC 2408 3.10";
    HASH = 8, "Hash", "HASH", "RFC 2408 3.11";
    SIGNATURE = 9, "Signature", "SIG", "RFC 2408 3.12";
    NONCE = 10, "Nonce", "NONCE", "RFC 2408 3.13";
    NOTIFICATION = 11, "Notification", "NOTIFY", "RFC 2408 3.14";
    DELETE = 12, "Delete", "DELETE", "RFC 2408 3.15";
    VENDOR_ID = 13, "Vendor ID", "vendor id", "RFC 2408 3.16";
    ATTRIBUTE = 14, "Attribute", "ATTR", "draft-ietf-ipsec-isakmp-mode-cfg";
    NAT_D = 20, "NAT-D", "NAT-D", "RFC 3947 3.2";
    NAT_OA = 21, "NAT-OA", "NAT-OA", "RFC 3947 5.2";
    NAT_D_DRAFT = 130, "NAT-D (draft)", "NAT-D", "draft-ietf-ipsec-nat-t-ike";
    NAT_OA_DRAFT = 131, "NAT-OA (draft)", "NAT-OA", "draft-ietf-ipsec-nat-t-ike";
}

registry! {
    /// Domain of interpretation.
    Doi(u32), "DOI";
    ISAKMP = 0, "ISAKMP", "ISAKMP", "RFC 2408 3.4";
    IPSEC = 1, "IPSEC", "IPSEC", "RFC 2407 4.2";
}

registry! {
    /// Protocol of a proposal, a notification or a delete.
    ProtocolId(u8), "protocol";
    NONE = 0, "RESERVED", "NONE", "RFC 2407 4.4.1";
    ISAKMP = 1, "PROTO_ISAKMP", "ISAKMP", "RFC 2407 4.4.1";
    AH = 2, "PROTO_IPSEC_AH", "AH", "RFC 2407 4.4.1";
    ESP = 3, "PROTO_IPSEC_ESP", "ESP", "RFC 2407 4.4.1";
    IPCOMP = 4, "PROTO_IPCOMP", "PCP", "RFC 2407 4.4.1";
}

registry! {
    /// Attribute class of a phase 1 transform.
    IkeAttribute(u16), "attribute";
    ENCRYPTION = 1, "Encryption Algorithm", "encryption", "RFC 2409 App. A";
    HASH = 2, "Hash Algorithm", "hash", "RFC 2409 App. A";
    AUTHENTICATION = 3, "Authentication Method", "auth", "RFC 2409 App. A";
    GROUP = 4, "Group Description", "default group", "RFC 2409 App. A";
    GROUP_TYPE = 5, "Group Type", "group type", "RFC 2409 App. A";
    GROUP_PRIME = 6, "Group Prime/Irreducible Polynomial", "group prime", "RFC 2409 App. A";
    GROUP_GENERATOR_ONE = 7, "Group Generator One", "group generator 1", "RFC 2409 App. A";
    GROUP_GENERATOR_TWO = 8, "Group Generator Two", "group generator 2", "RFC 2409 App. A";
    GROUP_CURVE_A = 9, "Group Curve A", "group curve A", "RFC 2409 App. A";
    GROUP_CURVE_B = 10, "Group Curve B", "group curve B", "RFC 2409 App. A";
    LIFE_TYPE = 11, "Life Type", "life type", "RFC 2409 App. A";
    LIFE_DURATION = 12, "Life Duration", "life duration", "RFC 2409 App. A";
    PRF = 13, "PRF", "prf", "RFC 2409 App. A";
    KEY_LENGTH = 14, "Key Length", "keylength", "RFC 2409 App. A";
    FIELD_SIZE = 15, "Field Size", "field size", "RFC 2409 App. A";
    GROUP_ORDER = 16, "Group Order", "group order", "RFC 2409 App. A";
}

registry! {
    /// Encryption algorithm of a phase 1 transform.
    EncryptionAlgorithm(u16), "encryption algorithm";
    DES_CBC = 1, "DES-CBC", "DES-CBC", "RFC 2409 App. A";
    IDEA_CBC = 2, "IDEA-CBC", "IDEA-CBC", "RFC 2409 App. A";
    BLOWFISH_CBC = 3, "Blowfish-CBC", "Blowfish-CBC", "RFC 2409 App. A";
    RC5_CBC = 4, "RC5-R16-B64-CBC", "RC5-CBC", "RFC 2409 App. A";
    TRIPLE_DES_CBC = 5, "3DES-CBC", "3DES-CBC", "RFC 2409 App. A";
    CAST_CBC = 6, "CAST-CBC", "CAST-CBC", "RFC 2409 App. A";
    AES_CBC = 7, "AES-CBC", "AES-CBC", "RFC 3602 5.1";
    CAMELLIA_CBC = 8, "CAMELLIA-CBC", "CAMELLIA-CBC", "RFC 4312 3";
}

registry! {
    /// Hash algorithm of a phase 1 transform; its HMAC is the PRF.
    HashAlgorithm(u16), "hash algorithm";
    MD5 = 1, "MD5", "MD5", "RFC 2409 App. A";
    SHA1 = 2, "SHA", "SHA", "RFC 2409 App. A";
    TIGER = 3, "Tiger", "Tiger", "RFC 2409 App. A";
    SHA2_256 = 4, "SHA2-256", "SHA256", "RFC 4868 4";
    SHA2_384 = 5, "SHA2-384", "SHA384", "RFC 4868 4";
    SHA2_512 = 6, "SHA2-512", "SHA512", "RFC 4868 4";
}

registry! {
    /// Authentication method of a phase 1 transform.
    AuthenticationMethod(u16), "authentication method";
    PRE_SHARED_KEY = 1, "pre-shared key", "pre-share", "RFC 2409 App. A";
    DSS_SIGNATURE = 2, "DSS signatures", "DSS sig", "RFC 2409 App. A";
    RSA_SIGNATURE = 3, "RSA signatures", "RSA sig", "RFC 2409 App. A";
    RSA_ENCRYPTION = 4, "Encryption with RSA", "RSA encr", "RFC 2409 App. A";
    RSA_REVISED_ENCRYPTION = 5, "Revised encryption with RSA", "RSA revised encr", "RFC 2409 App. A";
    ECDSA_256 = 9, "ECDSA with SHA-256 on the P-256 curve", "ECDSA-256 sig", "RFC 4754 7";
    ECDSA_384 = 10, "ECDSA with SHA-384 on the P-384 curve", "ECDSA-384 sig", "RFC 4754 7";
    ECDSA_521 = 11, "ECDSA with SHA-512 on the P-521 curve", "ECDSA-521 sig", "RFC 4754 7";
    XAUTH_INIT_PRE_SHARED = 65001, "XAUTHInitPreShared", "XAUTHInitPreShared", "draft-beaulieu-ike-xauth";
    XAUTH_RESP_PRE_SHARED = 65002, "XAUTHRespPreShared", "XAUTHRespPreShared", "draft-beaulieu-ike-xauth";
    XAUTH_INIT_RSA = 65005, "XAUTHInitRSA", "XAUTHInitRSA", "draft-beaulieu-ike-xauth";
    XAUTH_RESP_RSA = 65006, "XAUTHRespRSA", "XAUTHRespRSA", "draft-beaulieu-ike-xauth";
}

registry! {
    /// Diffie-Hellman group number; the IOS word is what `group ?` and `Diffie-Hellman group:` say in brackets.
    GroupNumber(u16), "group";
    MODP_768 = 1, "768-bit MODP group", "768 bit", "RFC 2409 6.1";
    MODP_1024 = 2, "1024-bit MODP group", "1024 bit", "RFC 2409 6.2";
    MODP_1536 = 5, "1536-bit MODP group", "1536 bit", "RFC 3526 2";
    MODP_2048 = 14, "2048-bit MODP group", "2048 bit", "RFC 3526 3";
    MODP_3072 = 15, "3072-bit MODP group", "3072 bit", "RFC 3526 4";
    MODP_4096 = 16, "4096-bit MODP group", "4096 bit", "RFC 3526 5";
    MODP_6144 = 17, "6144-bit MODP group", "6144 bit", "RFC 3526 6";
    MODP_8192 = 18, "8192-bit MODP group", "8192 bit", "RFC 3526 7";
    ECP_256 = 19, "256-bit random ECP group", "256 bit", "RFC 5903 3.1";
    ECP_384 = 20, "384-bit random ECP group", "384 bit", "RFC 5903 3.2";
    ECP_521 = 21, "521-bit random ECP group", "521 bit", "RFC 5903 3.3";
    MODP_1024_160 = 22, "1024-bit MODP group with 160-bit prime order subgroup", "1024 bit, 160 bit subgroup", "RFC 5114 2.1";
    MODP_2048_224 = 23, "2048-bit MODP group with 224-bit prime order subgroup", "2048 bit, 224 bit subgroup", "RFC 5114 2.2";
    MODP_2048_256 = 24, "2048-bit MODP group with 256-bit prime order subgroup", "2048 bit, 256 bit subgroup", "RFC 5114 2.3";
}

registry! {
    /// Unit of a lifetime, in both phases.
    LifeType(u16), "life type";
    SECONDS = 1, "seconds", "seconds", "RFC 2407 4.5";
    KILOBYTES = 2, "kilobytes", "kilobytes", "RFC 2407 4.5";
}

registry! {
    /// Transform of a phase 1 proposal.
    IsakmpTransformId(u8), "ISAKMP transform";
    KEY_IKE = 1, "KEY_IKE", "KEY_IKE", "RFC 2407 4.4.2";
}

registry! {
    /// Transform of an AH proposal.
    AhTransformId(u8), "AH transform";
    MD5 = 2, "AH_MD5", "AH_MD5", "RFC 2407 4.4.3";
    SHA = 3, "AH_SHA", "AH_SHA", "RFC 2407 4.4.3";
    DES = 4, "AH_DES", "AH_DES", "RFC 2407 4.4.3";
    SHA2_256 = 5, "AH_SHA2-256", "AH_SHA256", "RFC 4868 4";
    SHA2_384 = 6, "AH_SHA2-384", "AH_SHA384", "RFC 4868 4";
    SHA2_512 = 7, "AH_SHA2-512", "AH_SHA512", "RFC 4868 4";
    RIPEMD = 8, "AH_RIPEMD", "AH_RIPEMD", "RFC 2857 5";
    AES_XCBC_MAC = 9, "AH_AES-XCBC-MAC", "AH_AES_XCBC", "RFC 3566 6";
    AES_128_GMAC = 11, "AH_AES-128-GMAC", "AH_AES_GMAC", "RFC 4543 9";
    AES_192_GMAC = 12, "AH_AES-192-GMAC", "AH_AES_GMAC", "RFC 4543 9";
    AES_256_GMAC = 13, "AH_AES-256-GMAC", "AH_AES_GMAC", "RFC 4543 9";
}

registry! {
    /// Transform of an ESP proposal.
    EspTransformId(u8), "ESP transform";
    DES_IV64 = 1, "ESP_DES_IV64", "ESP_DES_IV64", "RFC 2407 4.4.4";
    DES = 2, "ESP_DES", "ESP_DES", "RFC 2407 4.4.4";
    TRIPLE_DES = 3, "ESP_3DES", "ESP_3DES", "RFC 2407 4.4.4";
    RC5 = 4, "ESP_RC5", "ESP_RC5", "RFC 2407 4.4.4";
    IDEA = 5, "ESP_IDEA", "ESP_IDEA", "RFC 2407 4.4.4";
    CAST = 6, "ESP_CAST", "ESP_CAST", "RFC 2407 4.4.4";
    BLOWFISH = 7, "ESP_BLOWFISH", "ESP_BLOWFISH", "RFC 2407 4.4.4";
    TRIPLE_IDEA = 8, "ESP_3IDEA", "ESP_3IDEA", "RFC 2407 4.4.4";
    DES_IV32 = 9, "ESP_DES_IV32", "ESP_DES_IV32", "RFC 2407 4.4.4";
    RC4 = 10, "ESP_RC4", "ESP_RC4", "RFC 2407 4.4.4";
    NULL = 11, "ESP_NULL", "ESP_NULL", "RFC 2407 4.4.4";
    AES_CBC = 12, "ESP_AES-CBC", "ESP_AES", "RFC 3602 5.2";
    AES_CTR = 13, "ESP_AES-CTR", "ESP_AES_CTR", "RFC 3686 5";
    AES_CCM_8 = 14, "ESP_AES-CCM_8", "ESP_AES_CCM", "RFC 4309 7";
    AES_CCM_12 = 15, "ESP_AES-CCM_12", "ESP_AES_CCM", "RFC 4309 7";
    AES_CCM_16 = 16, "ESP_AES-CCM_16", "ESP_AES_CCM", "RFC 4309 7";
    AES_GCM_8 = 18, "ESP_AES-GCM_8", "ESP_GCM", "RFC 4106 8";
    AES_GCM_12 = 19, "ESP_AES-GCM_12", "ESP_GCM", "RFC 4106 8";
    AES_GCM_16 = 20, "ESP_AES-GCM_16", "ESP_GCM", "RFC 4106 8";
    SEED_CBC = 21, "ESP_SEED_CBC", "ESP_SEAL", "RFC 4196 5";
    CAMELLIA = 22, "ESP_CAMELLIA", "ESP_CAMELLIA", "RFC 4312 3";
    NULL_AUTH_AES_GMAC = 23, "ESP_NULL_AUTH_AES-GMAC", "ESP_GMAC", "RFC 4543 9";
}

registry! {
    /// Transform of an IPCOMP proposal.
    IpcompTransformId(u8), "IPCOMP transform";
    OUI = 1, "IPCOMP_OUI", "PCP_OUI", "RFC 2407 4.4.5";
    DEFLATE = 2, "IPCOMP_DEFLATE", "PCP_DEFLATE", "RFC 2407 4.4.5";
    LZS = 3, "IPCOMP_LZS", "PCP_LZS", "RFC 2407 4.4.5";
}

registry! {
    /// Attribute class of a phase 2 transform.
    IpsecAttribute(u16), "attribute";
    LIFE_TYPE = 1, "SA Life Type", "SA life type", "RFC 2407 4.5";
    LIFE_DURATION = 2, "SA Life Duration", "SA life duration", "RFC 2407 4.5";
    GROUP = 3, "Group Description", "group", "RFC 2407 4.5";
    ENCAPSULATION = 4, "Encapsulation Mode", "encaps", "RFC 2407 4.5";
    AUTHENTICATION = 5, "Authentication Algorithm", "authenticator", "RFC 2407 4.5";
    KEY_LENGTH = 6, "Key Length", "key length", "RFC 2407 4.5";
    KEY_ROUNDS = 7, "Key Rounds", "key rounds", "RFC 2407 4.5";
    COMPRESS_DICTIONARY = 8, "Compress Dictionary Size", "dictionary size", "RFC 2407 4.5";
    COMPRESS_PRIVATE = 9, "Compress Private Algorithm", "private algorithm", "RFC 2407 4.5";
    ECN_TUNNEL = 10, "ECN Tunnel", "ECN tunnel", "RFC 3168 9.2.1.1";
    EXTENDED_SEQUENCE_NUMBER = 11, "Extended (64-bit) Sequence Number", "ESN", "RFC 4304 2";
}

registry! {
    /// Encapsulation mode attribute of a phase 2 transform.
    EncapsulationMode(u16), "encapsulation mode";
    TUNNEL = 1, "Tunnel", "Tunnel", "RFC 2407 4.5";
    TRANSPORT = 2, "Transport", "Transport", "RFC 2407 4.5";
    UDP_TUNNEL = 3, "UDP-Encapsulated-Tunnel", "Tunnel-UDP", "RFC 3947 5.1";
    UDP_TRANSPORT = 4, "UDP-Encapsulated-Transport", "Transport-UDP", "RFC 3947 5.1";
    UDP_TUNNEL_DRAFT = 61443, "UDP-Encapsulated-Tunnel (draft)", "Tunnel-UDP", "draft-ietf-ipsec-nat-t-ike";
    UDP_TRANSPORT_DRAFT = 61444, "UDP-Encapsulated-Transport (draft)", "Transport-UDP", "draft-ietf-ipsec-nat-t-ike";
}

registry! {
    /// Authentication algorithm attribute of a phase 2 transform.
    AuthenticationAlgorithm(u16), "authentication algorithm";
    HMAC_MD5 = 1, "HMAC-MD5", "HMAC-MD5", "RFC 2407 4.5";
    HMAC_SHA = 2, "HMAC-SHA", "HMAC-SHA", "RFC 2407 4.5";
    DES_MAC = 3, "DES-MAC", "DES-MAC", "RFC 2407 4.5";
    KPDK = 4, "KPDK", "KPDK", "RFC 2407 4.5";
    HMAC_SHA2_256 = 5, "HMAC-SHA2-256", "HMAC-SHA256", "RFC 4868 4";
    HMAC_SHA2_384 = 6, "HMAC-SHA2-384", "HMAC-SHA384", "RFC 4868 4";
    HMAC_SHA2_512 = 7, "HMAC-SHA2-512", "HMAC-SHA512", "RFC 4868 4";
    HMAC_RIPEMD = 8, "HMAC-RIPEMD", "HMAC-RIPEMD", "RFC 2857 5";
    AES_XCBC_MAC = 9, "AES-XCBC-MAC", "AES-XCBC", "RFC 3566 6";
    SIG_RSA = 10, "SIG-RSA", "SIG-RSA", "RFC 4359 7";
    AES_128_GMAC = 11, "AES-128-GMAC", "AES-GMAC", "RFC 4543 9";
    AES_192_GMAC = 12, "AES-192-GMAC", "AES-GMAC", "RFC 4543 9";
    AES_256_GMAC = 13, "AES-256-GMAC", "AES-GMAC", "RFC 4543 9";
}

registry! {
    /// Type of an identification payload.
    IdType(u8), "ID type";
    IPV4_ADDR = 1, "ID_IPV4_ADDR", "IPV4_ADDR", "RFC 2407 4.6.2.2";
    FQDN = 2, "ID_FQDN", "FQDN", "RFC 2407 4.6.2.3";
    USER_FQDN = 3, "ID_USER_FQDN", "USER_FQDN", "RFC 2407 4.6.2.4";
    IPV4_ADDR_SUBNET = 4, "ID_IPV4_ADDR_SUBNET", "IPV4_SUBNET", "RFC 2407 4.6.2.5";
    IPV6_ADDR = 5, "ID_IPV6_ADDR", "IPV6_ADDR", "RFC 2407 4.6.2.6";
    IPV6_ADDR_SUBNET = 6, "ID_IPV6_ADDR_SUBNET", "IPV6_SUBNET", "RFC 2407 4.6.2.7";
    IPV4_ADDR_RANGE = 7, "ID_IPV4_ADDR_RANGE", "IPV4_RANGE", "RFC 2407 4.6.2.8";
    IPV6_ADDR_RANGE = 8, "ID_IPV6_ADDR_RANGE", "IPV6_RANGE", "RFC 2407 4.6.2.9";
    DER_ASN1_DN = 9, "ID_DER_ASN1_DN", "DER_ASN1_DN", "RFC 2407 4.6.2.10";
    DER_ASN1_GN = 10, "ID_DER_ASN1_GN", "DER_ASN1_GN", "RFC 2407 4.6.2.11";
    KEY_ID = 11, "ID_KEY_ID", "KEY_ID", "RFC 2407 4.6.2.12";
}

registry! {
    /// Encoding of a certificate payload.
    CertificateEncoding(u8), "certificate encoding";
    NONE = 0, "NONE", "NONE", "RFC 2408 3.9";
    PKCS7 = 1, "PKCS #7 wrapped X.509 certificate", "PKCS7", "RFC 2408 3.9";
    PGP = 2, "PGP Certificate", "PGP", "RFC 2408 3.9";
    DNS_SIGNED_KEY = 3, "DNS Signed Key", "DNS_SIGNED_KEY", "RFC 2408 3.9";
    X509_SIGNATURE = 4, "X.509 Certificate - Signature", "CT_X509_SIGNATURE", "RFC 2408 3.9";
    X509_KEY_EXCHANGE = 5, "X.509 Certificate - Key Exchange", "CT_X509_KE", "RFC 2408 3.9";
    KERBEROS = 6, "Kerberos Tokens", "KERBEROS", "RFC 2408 3.9";
    CRL = 7, "Certificate Revocation List (CRL)", "CRL", "RFC 2408 3.9";
    ARL = 8, "Authority Revocation List (ARL)", "ARL", "RFC 2408 3.9";
    SPKI = 9, "SPKI Certificate", "SPKI", "RFC 2408 3.9";
    X509_ATTRIBUTE = 10, "X.509 Certificate - Attribute", "X509_ATTRIBUTE", "RFC 2408 3.9";
}

registry! {
    /// Notify message type. The IOS word is the RFC 2408 name with underscores, as debug lines print it.
    NotifyType(u16), "notify type";
    INVALID_PAYLOAD_TYPE = 1, "INVALID-PAYLOAD-TYPE", "INVALID_PAYLOAD_TYPE", "RFC 2408 3.14.1";
    DOI_NOT_SUPPORTED = 2, "DOI-NOT-SUPPORTED", "DOI_NOT_SUPPORTED", "RFC 2408 3.14.1";
    SITUATION_NOT_SUPPORTED = 3, "SITUATION-NOT-SUPPORTED", "SITUATION_NOT_SUPPORTED", "RFC 2408 3.14.1";
    INVALID_COOKIE = 4, "INVALID-COOKIE", "INVALID_COOKIE", "RFC 2408 3.14.1";
    INVALID_MAJOR_VERSION = 5, "INVALID-MAJOR-VERSION", "INVALID_MAJOR_VERSION", "RFC 2408 3.14.1";
    INVALID_MINOR_VERSION = 6, "INVALID-MINOR-VERSION", "INVALID_MINOR_VERSION", "RFC 2408 3.14.1";
    INVALID_EXCHANGE_TYPE = 7, "INVALID-EXCHANGE-TYPE", "INVALID_EXCHANGE_TYPE", "RFC 2408 3.14.1";
    INVALID_FLAGS = 8, "INVALID-FLAGS", "INVALID_FLAGS", "RFC 2408 3.14.1";
    INVALID_MESSAGE_ID = 9, "INVALID-MESSAGE-ID", "INVALID_MESSAGE_ID", "RFC 2408 3.14.1";
    INVALID_PROTOCOL_ID = 10, "INVALID-PROTOCOL-ID", "INVALID_PROTOCOL_ID", "RFC 2408 3.14.1";
    INVALID_SPI = 11, "INVALID-SPI", "INVALID_SPI", "RFC 2408 3.14.1";
    INVALID_TRANSFORM_ID = 12, "INVALID-TRANSFORM-ID", "INVALID_TRANSFORM_ID", "RFC 2408 3.14.1";
    ATTRIBUTES_NOT_SUPPORTED = 13, "ATTRIBUTES-NOT-SUPPORTED", "ATTRIBUTES_NOT_SUPPORTED", "RFC 2408 3.14.1";
    NO_PROPOSAL_CHOSEN = 14, "NO-PROPOSAL-CHOSEN", "PROPOSAL_NOT_CHOSEN", "RFC 2408 3.14.1";
    BAD_PROPOSAL_SYNTAX = 15, "BAD-PROPOSAL-SYNTAX", "BAD_PROPOSAL_SYNTAX", "RFC 2408 3.14.1";
    PAYLOAD_MALFORMED = 16, "PAYLOAD-MALFORMED", "PAYLOAD_MALFORMED", "RFC 2408 3.14.1";
    INVALID_KEY_INFORMATION = 17, "INVALID-KEY-INFORMATION", "INVALID_KEY_INFO", "RFC 2408 3.14.1";
    INVALID_ID_INFORMATION = 18, "INVALID-ID-INFORMATION", "INVALID_ID_INFO", "RFC 2408 3.14.1";
    INVALID_CERT_ENCODING = 19, "INVALID-CERT-ENCODING", "INVALID_CERT_ENCODING", "RFC 2408 3.14.1";
    INVALID_CERTIFICATE = 20, "INVALID-CERTIFICATE", "INVALID_CERTIFICATE", "RFC 2408 3.14.1";
    CERT_TYPE_UNSUPPORTED = 21, "CERT-TYPE-UNSUPPORTED", "CERT_TYPE_UNSUPPORTED", "RFC 2408 3.14.1";
    INVALID_CERT_AUTHORITY = 22, "INVALID-CERT-AUTHORITY", "INVALID_CERT_AUTHORITY", "RFC 2408 3.14.1";
    INVALID_HASH_INFORMATION = 23, "INVALID-HASH-INFORMATION", "INVALID_HASH_INFO", "RFC 2408 3.14.1";
    AUTHENTICATION_FAILED = 24, "AUTHENTICATION-FAILED", "AUTHENTICATION_FAILED", "RFC 2408 3.14.1";
    INVALID_SIGNATURE = 25, "INVALID-SIGNATURE", "INVALID_SIGNATURE", "RFC 2408 3.14.1";
    ADDRESS_NOTIFICATION = 26, "ADDRESS-NOTIFICATION", "ADDRESS_NOTIFICATION", "RFC 2408 3.14.1";
    NOTIFY_SA_LIFETIME = 27, "NOTIFY-SA-LIFETIME", "NOTIFY_SA_LIFETIME", "RFC 2408 3.14.1";
    CERTIFICATE_UNAVAILABLE = 28, "CERTIFICATE-UNAVAILABLE", "CERTIFICATE_UNAVAILABLE", "RFC 2408 3.14.1";
    UNSUPPORTED_EXCHANGE_TYPE = 29, "UNSUPPORTED-EXCHANGE-TYPE", "UNSUPPORTED_EXCHANGE_TYPE", "RFC 2408 3.14.1";
    UNEQUAL_PAYLOAD_LENGTHS = 30, "UNEQUAL-PAYLOAD-LENGTHS", "UNEQUAL_PAYLOAD_LENGTHS", "RFC 2408 3.14.1";
    CONNECTED = 16384, "CONNECTED", "CONNECTED", "RFC 2408 3.14.1";
    RESPONDER_LIFETIME = 24576, "RESPONDER-LIFETIME", "RESPONDER_LIFETIME", "RFC 2407 4.6.3.1";
    REPLAY_STATUS = 24577, "REPLAY-STATUS", "REPLAY_STATUS", "RFC 2407 4.6.3.2";
    INITIAL_CONTACT = 24578, "INITIAL-CONTACT", "INITIAL_CONTACT", "RFC 2407 4.6.3.3";
    R_U_THERE = 36136, "R-U-THERE", "R_U_THERE", "RFC 3706 5.3";
    R_U_THERE_ACK = 36137, "R-U-THERE-ACK", "R_U_THERE_ACK", "RFC 3706 5.3";
}

impl NotifyType {
    /// Whether the type reports an error (1 to 16383) rather than a status (RFC 2408 3.14.1).
    pub fn is_error(self) -> bool {
        (1..16384).contains(&self.0)
    }
}
