//! Keys and hashes of one IKEv1 SA for every hash and every cipher, computed with Python's hashlib and hmac (and the
//! `openssl` program for the ciphertext) from the formulas of RFC 2409 5, 5.5 and App. B. Data only; `keying.rs`
//! beside it holds the inputs and the checks.

use crate::algorithm::{Encryption, Hash};

pub(super) struct Vector {
    pub hash: Hash,
    pub encryption: Encryption,
    pub hash_i: &'static str,
    pub hash_r: &'static str,
    /// "SA body as sent", padded, encrypted with the first IV.
    pub ciphertext: &'static str,
    /// The same with the IV of the exchange 0xdeadbeef, after that message was phase 1's last.
    pub exchange_ciphertext: &'static str,
    pub hash_1: &'static str,
    pub hash_2: &'static str,
    pub hash_3: &'static str,
    /// 100 bytes without PFS.
    pub keymat: &'static str,
    /// 52 bytes with PFS.
    pub keymat_pfs: &'static str,
    /// HASH_I of signature authentication with the same nonces and secret.
    pub signature_hash_i: &'static str,
}

pub(super) const VECTORS: [Vector; 8] = [
    Vector {
        hash: Hash::Md5,
        encryption: Encryption::Des,
        hash_i: "443923a22000bd71b40ee1f28d872061",
        hash_r: "f9cddbae5f94ebaa21bdea9f83a6a66a",
        ciphertext: "54c42b67599a95ad4b1c5bafe748782f",
        exchange_ciphertext: "a7bac56d2a4a4f3704482ebbd2329c9b",
        hash_1: "1b7b9a3a4585952c292ab74e59c7fe20",
        hash_2: "2951a9f58ebb13d9321683d6cc267f23",
        hash_3: "e7bb86811166b80b34cd8ce51a586b6a",
        keymat: "1bf3761b12ed540e00829cc5b19892d9158f9812f6d5eee699bdff9176c0ca0ebd345d91615a2f419e4d7708\
            942de6c880706f21954e07ef9ad29e00a9ccc8f7b48b8a6674c712357b5c334e12f0699c8aef4b7edf4453df\
            4fac9e58fbc5aa8522c82b7b",
        keymat_pfs: "dbf0ee29863ec87e6e2d6bcbb46bca75f1efcf89ffd343f4e4a5ce606b6fb813a3083b2c622f89efd487af3d\
            06f801846aef53c2",
        signature_hash_i: "04fc831584f494f37d58dd13c203234e",
    },
    Vector {
        hash: Hash::Sha1,
        encryption: Encryption::TripleDes,
        hash_i: "3cdeddd9ce151089970f53bab1cbdb463a7afcd7",
        hash_r: "cec6f1df3e5d064ce5b903d674f6c937345d373d",
        ciphertext: "12ffc7bb6434fef7a8da9762c8c7c9a0",
        exchange_ciphertext: "47a933bbc953afd7c340da3e16f9d55c",
        hash_1: "027d467048cc806f975cab170cf3414da276dfa1",
        hash_2: "c05ad8409eaf78faf922fb143e2a7b99dfad7299",
        hash_3: "c2ea3bae39214e8d40f9d4fa84158915f158a98d",
        keymat: "6ab6ba423202a657c15255a1a96c1ab2841aafda797919845cb90886604d33784d4cccc07d3fb75a0943c791\
            c34e60284b22fe88202934cac75de47e71cd67045136020e965b82692322398810def80c0e334d77d7323c4f\
            4bd8dfbf1f63014564e4f4e1",
        keymat_pfs: "b2f63b3668a3be4c9b39ea58938761043ae22b0877c499d2b8d2d2b867470928f2f61fe27bca4d5d33fde5fe\
            d0d234e72d809f39",
        signature_hash_i: "a75fcaf90c468d6dc3a54a4c425adb848316f3ed",
    },
    Vector {
        hash: Hash::Sha1,
        encryption: Encryption::Aes256,
        hash_i: "3cdeddd9ce151089970f53bab1cbdb463a7afcd7",
        hash_r: "cec6f1df3e5d064ce5b903d674f6c937345d373d",
        ciphertext: "56e428771e96e47a24d52998f890358c",
        exchange_ciphertext: "20ba01c1d7df1ef4bcf2dba2772a8dfd",
        hash_1: "027d467048cc806f975cab170cf3414da276dfa1",
        hash_2: "c05ad8409eaf78faf922fb143e2a7b99dfad7299",
        hash_3: "c2ea3bae39214e8d40f9d4fa84158915f158a98d",
        keymat: "6ab6ba423202a657c15255a1a96c1ab2841aafda797919845cb90886604d33784d4cccc07d3fb75a0943c791\
            c34e60284b22fe88202934cac75de47e71cd67045136020e965b82692322398810def80c0e334d77d7323c4f\
            4bd8dfbf1f63014564e4f4e1",
        keymat_pfs: "b2f63b3668a3be4c9b39ea58938761043ae22b0877c499d2b8d2d2b867470928f2f61fe27bca4d5d33fde5fe\
            d0d234e72d809f39",
        signature_hash_i: "a75fcaf90c468d6dc3a54a4c425adb848316f3ed",
    },
    Vector {
        hash: Hash::Sha256,
        encryption: Encryption::Aes128,
        hash_i: "e8d372912f2d009455d7018b8a9e0c2cb205b80daeaaa395a4a7e15004a28baf",
        hash_r: "1dc772bc60d99d7de36440b3cb5cb2433f3e5c9038783de0177009ffc86bc899",
        ciphertext: "a929a9bd87fc109b149ea2d6e1010173",
        exchange_ciphertext: "394bbdf983b3fbf5ceb46f84b5e6fc69",
        hash_1: "74062f3038b2a6bee5bdae40f7e251826a30381caed9d1c395b3172982f16100",
        hash_2: "480191cbf17beccfbb1955cd2daa936c9683322e63c97e114bf01524706712f6",
        hash_3: "5b00dfadaae2bd93c795b34d5a87df9ee077af587227618ed106f18abbec5744",
        keymat: "08d1b80c2da93fb0f273413381f6d17eb17513edf46a63b8923015dd7adfd528008faf4a46b468be6355f199\
            e69610114ae741bf7c4ece95983abe0ee83178029b45919db79a10187f696319187c63e434f8e6cfc0d3db77\
            510b0d8c0229ed062b228890",
        keymat_pfs: "886af0e6276b3bd1cbd07fac173e5b06f98aec351356c3de8ab91838a97f9119cafbc98d6d2bd53a61a3b9e3\
            c92a5017836767fa",
        signature_hash_i: "fb1d68199d5ad56e0b498f5ba6e2eb721a5615a206fa817d0d8e2ff2bf0f2991",
    },
    Vector {
        hash: Hash::Sha256,
        encryption: Encryption::Aes256,
        hash_i: "e8d372912f2d009455d7018b8a9e0c2cb205b80daeaaa395a4a7e15004a28baf",
        hash_r: "1dc772bc60d99d7de36440b3cb5cb2433f3e5c9038783de0177009ffc86bc899",
        ciphertext: "6ddc777765877c35a0d1338f39ed0727",
        exchange_ciphertext: "8e93911992344c42b2bda5f896dc734a",
        hash_1: "74062f3038b2a6bee5bdae40f7e251826a30381caed9d1c395b3172982f16100",
        hash_2: "480191cbf17beccfbb1955cd2daa936c9683322e63c97e114bf01524706712f6",
        hash_3: "5b00dfadaae2bd93c795b34d5a87df9ee077af587227618ed106f18abbec5744",
        keymat: "08d1b80c2da93fb0f273413381f6d17eb17513edf46a63b8923015dd7adfd528008faf4a46b468be6355f199\
            e69610114ae741bf7c4ece95983abe0ee83178029b45919db79a10187f696319187c63e434f8e6cfc0d3db77\
            510b0d8c0229ed062b228890",
        keymat_pfs: "886af0e6276b3bd1cbd07fac173e5b06f98aec351356c3de8ab91838a97f9119cafbc98d6d2bd53a61a3b9e3\
            c92a5017836767fa",
        signature_hash_i: "fb1d68199d5ad56e0b498f5ba6e2eb721a5615a206fa817d0d8e2ff2bf0f2991",
    },
    Vector {
        hash: Hash::Sha384,
        encryption: Encryption::Aes192,
        hash_i: "9240abf5554c6cf7530a5c5877e939f9fa6112834a8cc2d64cd3462a9f5828137e4be8ad20bb75e03ce7c877\
            9a3309b5",
        hash_r: "8905630db587aa57e3accefe73f9a954462109a1977713801b804443324ae2f0f67007f4b7c363e49e1f4148\
            d8e2d9d7",
        ciphertext: "37d88c88dd6d52d050defad7df3964df",
        exchange_ciphertext: "c899050706cf9efc39d54868d4e028f8",
        hash_1: "4302fc237352a7a6910fa3d47d43cffd1bf4d501a97c0c68e774e69b5901e2032695de721ae8e876b31ee3e2\
            45a866b8",
        hash_2: "bb4a458575446ae5b30cbd6baee052a39fbd08d9a785a2de3a96a5cda66c060a2f038a190317fbedeffa4379\
            42c18007",
        hash_3: "63d639707abb88865adc4cc347e0021b071e7dea7811eb0884b29504fe469427f29f81db5aad73d11f4675a0\
            986f92df",
        keymat: "b1bed642501fa0819b3d5a7d77844bcffaf2ccaea21abf1f97dc85e808d1512606965fd0e37c81a8e5fe0efb\
            b7b357f95d8dd5452d8920eb13950158b49a64144083a7455a62f8c836c85448956a165f4e32fafc2a3e752d\
            e58af99c3d4449fc7f02462b",
        keymat_pfs: "298a3f6fb439d32749ea1070ac6993890ace91f893e8087a015ee236147615e5e60ccae20758c558b079ce82\
            59de574df91bfee2",
        signature_hash_i: "0f29d1615bdefadfa3e675b0e9ed333fe597024e3d35815a3046a9a5165bc1e81ca5716b990b68b8fff23cf9\
            a3f4680d",
    },
    Vector {
        hash: Hash::Sha512,
        encryption: Encryption::Aes256,
        hash_i: "161b3a1915e22974a9806513d261d6a67c9950510cf6c7d2ecf5acdc1502cfef7a48cf4f9a7e6942f48ddc95\
            f020d8a3c72bb82eded811f1545224f86e04b617",
        hash_r: "1a5bb76069bd7e3979e0df442dda521099fba8202438343839b8c8e0d5fba1d3921a8a24d25b9710d18f1e9e\
            6d09749c0fbe60918b6420d3874ffef01eba91b3",
        ciphertext: "9e86a0049158c51131c7865492ba5637",
        exchange_ciphertext: "b0e9d3ef2f6b31d711d6c6c5c968d2df",
        hash_1: "fe600ecef8377b99cfef27d514999619c6fb5012528a7de841b70b6a3eae1b2324ff517345cf8d5bad3b00d1\
            4439f3598b76b088d86b355f7565d013daf2a0bd",
        hash_2: "5f0cf386f505009bc9634ccd6e3cc99bf80bcf74788001560bdaf8c42f5190a6a03f5f065d0ecba883a0f67b\
            dea173e23cc38de3de141521a0459597e54452cf",
        hash_3: "07990c7ffac109d5c9d4150c64d822d261039880f7aa219bc2a8e3f1ed556195b29a4a7032e6e6530a11de1d\
            556d1cce1b15599cd95f38564ed6f85f506f40eb",
        keymat: "96a62895d88c955a0443665829957033bad38cac41398069caf74b4bda8dc2ec499f57c20b489f15c0523745\
            84a1579775ed91b6a1358c08f0906360df4ed8a2d472cd0e7c830014b6aa919972463ba35d0ec8a9d5e34fd2\
            c6c8626b2858f039a5806fe7",
        keymat_pfs: "2be6c5d7bf2721ba733d41c786474e38fc9fc3b7a88805d50d1b32e97a6c69b8cae608962dc249e67621bc4a\
            56951b8d7648ad18",
        signature_hash_i: "2f31a20e24a9be1c547c9e677ff928954d4448bd13a77454253b87bb045d8fae5283e9545703263634b987e5\
            52b2d3133f89ec538093b2b01bb2dd9bae846c13",
    },
    Vector {
        hash: Hash::Md5,
        encryption: Encryption::TripleDes,
        hash_i: "443923a22000bd71b40ee1f28d872061",
        hash_r: "f9cddbae5f94ebaa21bdea9f83a6a66a",
        ciphertext: "85aaf8aad54a70fbb334dd32520cae2f",
        exchange_ciphertext: "e5a3a7a8e9182984e9767ceb86865c01",
        hash_1: "1b7b9a3a4585952c292ab74e59c7fe20",
        hash_2: "2951a9f58ebb13d9321683d6cc267f23",
        hash_3: "e7bb86811166b80b34cd8ce51a586b6a",
        keymat: "1bf3761b12ed540e00829cc5b19892d9158f9812f6d5eee699bdff9176c0ca0ebd345d91615a2f419e4d7708\
            942de6c880706f21954e07ef9ad29e00a9ccc8f7b48b8a6674c712357b5c334e12f0699c8aef4b7edf4453df\
            4fac9e58fbc5aa8522c82b7b",
        keymat_pfs: "dbf0ee29863ec87e6e2d6bcbb46bca75f1efcf89ffd343f4e4a5ce606b6fb813a3083b2c622f89efd487af3d\
            06f801846aef53c2",
        signature_hash_i: "04fc831584f494f37d58dd13c203234e",
    },
];
