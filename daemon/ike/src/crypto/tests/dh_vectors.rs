//! Published and independently computed answers for the groups: RFC 5903 8, RFC 5114 A.3, and MODP powers.
//! Data only; `dh.rs` beside it holds the checks.

/// An ECP exchange: initiator's scalar and public value, responder's, shared secret (RFC 5903 8.1 to 8.3).
pub(super) struct EcpVector {
    pub group: crate::crypto::Group,
    pub initiator: &'static str,
    pub initiator_public: &'static str,
    pub responder: &'static str,
    pub responder_public: &'static str,
    pub shared: &'static str,
}

pub(super) const ECP: [EcpVector; 3] = [
    EcpVector {
        group: crate::crypto::Group::Ecp256,
        initiator: "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
        initiator_public: "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252d61f1c45\
            6fa3e59ab1f45b33accf5f58389e0577b8990bb3",
        responder: "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
        responder_public: "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e8157854c\
            13c58d6aac23f046ada30f8353e74f33039872ab",
        shared: "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
    },
    EcpVector {
        group: crate::crypto::Group::Ecp384,
        initiator: "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896\
            783ab194",
        initiator_public: "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732ae\
            e95f41aa9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947da\
            e69b4c634573a81c",
        responder: "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942e0308312916b8ed2960e4bd5\
            5a7448fc",
        responder_public: "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0\
            774a3571dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff\
            5eaad96db9e6386c",
        shared: "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a2\
            70f59746",
    },
    EcpVector {
        group: crate::crypto::Group::Ecp521,
        initiator: "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a095aa85a30fe1c2952c6771d9\
            37ba9777f5957b2639bab072462f68c27a57382d4a52",
        initiator_public: "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbee1e3bf42e00b8e380aeae57c\
            2d107564941885942af5a7f4601723c4195d176ced3e017cae20b6641d2eeb695786d8c946146239d099e18e\
            1d5a514c739d7cb4a10ad8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f9582",
        responder: "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e9c677d600b343757a3bdbf2a\
            3163e4c2f869cca7458aa4a4effc311f5cb151685eb9",
        responder_public: "00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a219b97c356436adc6e95bb0352\
            f6be64a6c2912d4ef2d0433ced2b6171640012d9460f015c68226383956e3bd066e797b623c27ce0eac2f551\
            a10c2c724d9852077b87220b6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd17f0fc56a",
        shared: "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04d1427e73ca4baa240a347868\
            59810c06b3c715a3a8cc3151f2bee417996d19f3ddea",
    },
];

/// Private value of party A in group 24 (RFC 5114 A.3).
pub(super) const GROUP_24_A_PRIVATE: &str =
    "0881382cdb87660c6dc13e614938d5b9c8b2f248581cc5e31b35454397fce50e";
/// Its public value.
pub(super) const GROUP_24_A_PUBLIC: &str = "2e9380c8323af97545bc4941deb0ec3742c62fe0ece824a6abdbe66c59bee0242911bfb967235ceba35ae13e\
    4ec752be630b92dc4bde2847a9c62cb8152745421fb7eb60a63c0fe9159fcce726ce7cd8523d7450667ef840\
    e4919121eb5f01c8c9b0d3d648a93bfb75689e8244ac134af544711ce79a02dcc34226684780dddcb4985941\
    06c37f5bc79856487af5ab022a2e5e42f09897c1a85a11ea0212af04d9b4cebc937c3c1a3e15a8a0342e3376\
    15c84e7fe3b8b9b87fb1e73a15af12a30d746e06dfc34f290d797ce51aa13aa785bf6658aff5e4b093003cbe\
    af665b3c2e113a3a4e905269341dc0711426685f4ef37e868a8126ff3f2279b57ca67e29";
/// Private value of party B.
pub(super) const GROUP_24_B_PRIVATE: &str =
    "7d62a7e3ef36de617b13d1afb82c780d83a23bd4ee6705645121f371f546a53d";
/// Its public value.
pub(super) const GROUP_24_B_PUBLIC: &str = "575f0351bd2b1b817448bdf87a6c362c1e289d3903a30b9832c5741fa250363e7acbc7f77f3dacbc1f131add\
    8e03367eff8fbbb3e1c5784424809b25afe4d2262a1a6fd2fab64105ca30a674e07f7809852088632fc04923\
    3791ad4edd083a978b883ee618bc5e0dd047415f2d95e683cf14826b5fbe10d3ce41c6c120c78ab20008c698\
    bf7f0bcab9d7f407bed0f43afb2970f57f8d12043963e66ddd320d599ad9936c8f44137c08b180ec5e985ceb\
    e186f3d549677e80607331ee17af3380a725b0782317d7dd43f59d7af9568a9bb63a84d365f92244ed120988\
    219302f42924c7ca90b89d24f71b0ab697823d7deb1aff5b0e8e4a45d49f7f53757e1913";
/// Their shared secret.
pub(super) const GROUP_24_SHARED: &str = "86c70bf8d0bb81bb01078a17219cb7d27203db2a19c877f1d1f19fd7d77ef22546a68f005ad52dc84553b78f\
    c60330be51ea7c0672cac1515e4b35c047b9a551b88f39dc26da14a09ef74774d47c762dd177f9ed5bc2f11e\
    52c879bd95098504cd9eecd8a8f9b3efbd1f008ac5853097d9d1837f2b18f77cd7be01af80a7c7b5ea3ca54c\
    c02d0c116fee3f95bb87399385875d7e86747e676e728938acbff7098e05be4dcfb24052b83aeffb14783f02\
    9adbde7f53fae92084224090e007cee94d4bf2bace9ffd4b57d2af7c724d0caa19bf0501f6f17b4aa10f425e\
    3ea76080b4b9d6b3cefea115b2ceb8789bb8a3b0ea87febe63b6c8f846ec6db0c26c5d7c";

/// A MODP exchange computed with big integers elsewhere: the initiator's randomness is the bytes 1, 2, 3, ..., the
/// responder's 101, 102, 103, ...; the answers are SHA-256 of what goes into the KE payloads and of g^xy.
pub(super) struct ModpVector {
    pub group: crate::crypto::Group,
    pub initiator_public: &'static str,
    pub responder_public: &'static str,
    pub shared: &'static str,
}

pub(super) const MODP: [ModpVector; 7] = [
    ModpVector {
        group: crate::crypto::Group::Modp768,
        initiator_public: "6f3e253893393fde624b285f98e1b9a2530013bcaddfdd11e86c785c99466efe",
        responder_public: "860df4748a6f73a54f568179e8b9131d4c90b252fde4ce32424a18577e32f574",
        shared: "e29069e2adba5110f3842aba6fdd7e78a580a320c6f1102af662d3305e8d7f79",
    },
    ModpVector {
        group: crate::crypto::Group::Modp1024,
        initiator_public: "34aae4bf3ac8ad201b1e5a338f02ce46a0eb99af6685dc84b661a157f34fc088",
        responder_public: "d5c32292b692e5cfc5df967f582f8cc225c9403bb7d665383cf269723e8e022c",
        shared: "2d314983b661e15622a636d0901bea0d172b16e4d3349e3e43f980ac441dd75e",
    },
    ModpVector {
        group: crate::crypto::Group::Modp1536,
        initiator_public: "454b8432cbd942213571751b20b50e2a506be75f9d9463d55d58722a9650cc61",
        responder_public: "9d235392d88bb5d914efc94f723905a0371acbf236510f2b9a4b889cd82044b6",
        shared: "c7d5b93e6a350011d3dba85b97f5f29eb77c812f4e76e4bc14dd3e12722acaf2",
    },
    ModpVector {
        group: crate::crypto::Group::Modp2048,
        initiator_public: "fb2c4242f331546f42c5532732da876cf172c1f3762ed2fa516f3670b2a9c58a",
        responder_public: "a2c4b91130274ea00c5f3502663833cd94359a10978082d18a76524be5995b83",
        shared: "017ee1afac688dbd58c36d96a0e452c106691954b1cf5d86e866b2ebae80e115",
    },
    ModpVector {
        group: crate::crypto::Group::Modp3072,
        initiator_public: "9f2d73c92f3f240b5b96099e03431f58b5fc59b22b0a95e1e275db1965068d68",
        responder_public: "29ece5fd71cf14d62c00f41d4c3c70637bf7b96e93cb5be3cf2b46fd248e8d21",
        shared: "2555da00eed6361f3e1796378c97f11e73dd40ece76ded596f006b0c384a0b1a",
    },
    ModpVector {
        group: crate::crypto::Group::Modp4096,
        initiator_public: "ef1d70629353c458131378be223d1a1225b00d92d04f8bdf06f9eba83c2b4e6e",
        responder_public: "7232ff9a5a91332e16431af21bab54f81d8e2e59863924f3828c10887ba2c1e4",
        shared: "65c771f45576847ffe6437555f87ef0ea77ebcad626742130e0b58a15db6af4b",
    },
    ModpVector {
        group: crate::crypto::Group::Modp2048Subgroup256,
        initiator_public: "1653167caa460c8922b7016f416d944b07830c8860037a78421b1dda25f22bc6",
        responder_public: "27b2f3cc082be34a38a4f71bc493d83f2b5bf5944cb40efe7cbf3052b35f4c8f",
        shared: "0af2c0c668cea485bf0c1f1e328b89ee8f4357ee638a946ac6c94d440690b37f",
    },
];
