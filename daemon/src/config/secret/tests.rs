//! Published hashes, and that what is made can be checked again.

use proptest::prelude::*;

use super::*;

fn secret(encoding: SecretEncoding, text: &str) -> Secret {
    Secret::new(Some(encoding), text)
}

/// Hashes that others published with the clear text they were made of.
const PUBLISHED: [(SecretEncoding, &str, &str); 8] = [
    (
        SecretEncoding::Sha256,
        "2btjjy78REtmYkkW0csHUbJZOstRXoWdX1mGrmmfeHI",
        "hashcat",
    ),
    (
        SecretEncoding::Md5,
        "$1$28772684$iEwNOgGugqO9.bIz5sk8k/",
        "hashcat",
    ),
    (
        SecretEncoding::Md5,
        "$1$mERr$A419.HL58lq743wXS4kSM1",
        "dolphinsforever",
    ),
    (
        SecretEncoding::Pbkdf2,
        "$8$TnGX/fE4KGHOVU$pEhnEvxrvaynpi8j4f.EMHr6M.FzU8xnZnBr/tJdFWk",
        "hashcat",
    ),
    (
        SecretEncoding::Scrypt,
        "$9$2MJBozw/9R3UsU$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo6",
        "hashcat",
    ),
    (
        SecretEncoding::Scrypt,
        "$9$cvWdfQlRRDKq/U$VFTPha5VHTCbSgSUAo.nPoh50ZiXOw1zmljEjXkaq1g",
        "123456",
    ),
    (SecretEncoding::Type7, "044B0A151C36435C0D", "password"),
    (SecretEncoding::Type7, "104F0B1A011214", "abcdef"),
];

#[test]
fn published_secrets_open_with_their_password_only() {
    for (encoding, text, clear) in PUBLISHED {
        let secret = secret(encoding, text);
        assert!(is_well_formed(&secret), "{text}");
        assert!(opens(&secret, clear), "{text}");
        assert!(!opens(&secret, &format!("{clear} ")), "{text}");
        assert!(!opens(&secret, ""), "{text}");
    }
}

#[test]
fn type_7_starts_its_text_again_after_53_letters() {
    let text = "08204D4F08180416130A0D052B2A2529323423120617020057585952550F021917585956525354550A5A07065956051207055A0A\
                070E204D4F08180416130A0D052B2A2529323423120617020057585952";
    assert_eq!(*type7::decode(text).unwrap(), "a".repeat(80));
}

#[test]
fn every_algorithm_opens_again_and_has_its_own_salt() {
    for (algorithm, shape) in [
        (HashAlgorithm::Md5, ("$1$", 4, 22)),
        (HashAlgorithm::Sha256, ("$8$", 14, 43)),
        (HashAlgorithm::Scrypt, ("$9$", 14, 43)),
    ] {
        let (one, other) = (
            hash("cisco", algorithm).unwrap(),
            hash("cisco", algorithm).unwrap(),
        );
        assert!(opens(&one, "cisco") && opens(&other, "cisco") && !opens(&one, "Cisco"));
        assert!(is_well_formed(&one));
        assert_ne!(one.expose(), other.expose());
        let parts: Vec<&str> = one.expose().split('$').collect();
        let found = (format!("${}$", parts[1]), parts[2].len(), parts[3].len());
        assert_eq!(found, (shape.0.to_owned(), shape.1, shape.2));
    }
}

#[test]
fn what_is_no_hash_opens_to_nothing() {
    for text in ["", "$8$", "$8$salt", "$9$salt$hash", "$8$$", "8"] {
        for encoding in [
            SecretEncoding::Sha256,
            SecretEncoding::Md5,
            SecretEncoding::Type6,
            SecretEncoding::Type7,
            SecretEncoding::Pbkdf2,
            SecretEncoding::Scrypt,
        ] {
            let secret = secret(encoding, text);
            assert!(
                !is_well_formed(&secret) && !opens(&secret, "") && !opens(&secret, text),
                "{text}"
            );
        }
    }
    assert!(opens(&Secret::new(None, "plain"), "plain"));
}

#[test]
fn a_type_6_key_says_what_is_wrong_with_it() {
    let (master, other) = (
        MasterKey::new("master-key-1").unwrap(),
        MasterKey::new("master-key-2").unwrap(),
    );
    let key = secret(SecretEncoding::Type6, &master.encrypt("Corinth").unwrap());
    assert_eq!(*reveal(&key, Some(&master)).unwrap(), "Corinth");
    assert_eq!(reveal(&key, None), Err(Unusable::NoMasterKey));
    assert_eq!(reveal(&key, Some(&other)), Err(Unusable::OtherMasterKey));
    assert!(same_key(&key, &Secret::new(None, "Corinth"), Some(&master)));
    assert!(!same_key(&key, &Secret::new(None, "Corinth"), Some(&other)));
}

proptest! {
    #[test]
    fn type_7_decodes_what_it_encoded(clear in "[ -~]{1,120}") {
        let text = type7::encode(&clear);
        let decoded = type7::decode(&text).unwrap();
        prop_assert_eq!(decoded.as_str(), clear.as_str());
    }

    #[test]
    fn type_6_decrypts_what_it_encrypted(clear in "[ -~]{1,128}", master in "[!-~]{8,40}") {
        let master = MasterKey::new(&master).unwrap();
        let text = master.encrypt(&clear).unwrap();
        prop_assert!(is_well_formed(&secret(SecretEncoding::Type6, &text)));
        let decrypted = master.decrypt(&text).unwrap();
        prop_assert_eq!(decrypted.as_str(), clear.as_str());
    }

    #[test]
    fn nothing_typed_panics(text in "\\PC{0,80}") {
        for encoding in SecretEncoding::ALL {
            let secret = secret(*encoding, &text);
            let _ = (is_well_formed(&secret), reveal(&secret, MasterKey::new("12345678").as_ref()).is_ok());
        }
    }
}
