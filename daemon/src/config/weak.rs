//! What protects badly in the configuration, for the prompt (`apply`) and for the log after a file is loaded (`copy`).

use std::collections::HashMap;

use isthmus_grammar::command::{
    ConfigCommand, ConfigLine, CryptoMapCommand, Form, GlobalCommand, IsakmpPolicyCommand, Secret,
};
use isthmus_grammar::weakness::{Weakness, weaknesses};

use super::model::Running;
use super::secret;

/// What the operator sees who types this line; every line ended.
pub fn warnings(running: &Running, line: &ConfigLine) -> String {
    let found = weaknesses(&in_clear(running, line)).into_iter();
    found
        .map(|weakness| format!("SECURITY WARNING - {weakness}\n"))
        .collect()
}

/// What is weak in the whole configuration, defaults too, each kind once with the first line that has it.
pub fn summary(running: &Running) -> Vec<String> {
    let mut kinds: Vec<(Weakness, usize)> = Vec::new();
    let mut known = HashMap::new();
    for weakness in all(running) {
        let kind = (weakness.module, weakness.reason.clone());
        let at = *known.entry(kind).or_insert(kinds.len());
        match kinds.get_mut(at) {
            Some((_, count)) => *count += 1,
            None => kinds.push((weakness, 1)),
        }
    }
    let text = |(mut weakness, count): (Weakness, usize)| {
        if count > 1 {
            weakness.command = format!("{} (and {} more)", weakness.command, count - 1);
        }
        weakness.to_string()
    };
    kinds.into_iter().map(text).collect()
}

fn all(running: &Running) -> Vec<Weakness> {
    let crypto = &running.crypto;
    let mut found = Vec::new();
    let mut look = |above: String, command: ConfigCommand| {
        let line = in_clear(running, &set(command));
        found.extend(weaknesses(&line).into_iter().map(|weakness| Weakness {
            command: format!("{above}{}", weakness.command),
            ..weakness
        }));
    };
    for (priority, policy) in &crypto.policies {
        for command in [
            IsakmpPolicyCommand::Encryption(Some(policy.encryption)),
            IsakmpPolicyCommand::Hash(Some(policy.hash)),
            IsakmpPolicyCommand::Group(Some(policy.group)),
        ] {
            let above = format!("crypto isakmp policy {priority} ");
            look(above, ConfigCommand::IsakmpPolicy(command));
        }
    }
    for (peer, key) in crypto.keys.iter() {
        let command = GlobalCommand::CryptoIsakmpKey {
            key: Some(key.key.clone()),
            peer: peer.clone(),
            no_xauth: key.no_xauth,
        };
        look(String::new(), ConfigCommand::Global(command));
    }
    for (name, transforms) in &crypto.transform_sets {
        let command = GlobalCommand::CryptoIpsecTransformSet {
            name: name.clone(),
            transforms: transforms.transforms.clone(),
        };
        look(String::new(), ConfigCommand::Global(command));
    }
    for (name, map) in &crypto.maps {
        for (sequence, entry) in &map.entries {
            if let Some(group) = entry.pfs {
                let command = CryptoMapCommand::SetPfs(Some(group));
                let above = format!("crypto map {name} {sequence} ");
                look(above, ConfigCommand::CryptoMap(command));
            }
        }
    }
    found
}

fn set(command: ConfigCommand) -> ConfigLine {
    ConfigLine {
        form: Form::Set,
        command,
    }
}

/// The line with its key in clear text, where it can be read: an encoded one hides how short it is.
fn in_clear(running: &Running, line: &ConfigLine) -> ConfigLine {
    let mut line = line.clone();
    if let ConfigCommand::Global(GlobalCommand::CryptoIsakmpKey { key: Some(key), .. }) =
        &mut line.command
        && let Ok(clear) = secret::reveal(key, running.master.as_ref())
    {
        *key = Secret::new(None, clear.as_str());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    #[test]
    fn each_kind_is_said_once_defaults_too() {
        let text = "crypto isakmp policy 10\n encryption aes\n authentication pre-share\n group 14\n\
                    crypto isakmp policy 20\n authentication pre-share\n\
                    crypto isakmp key short address 192.0.2.1\ncrypto isakmp key short-2 address 192.0.2.2\n\
                    crypto isakmp key Long-and-random-9xK address 192.0.2.3\n\
                    crypto ipsec transform-set T esp-null esp-sha-hmac\n";
        let (running, problems) = load(text, "test");
        assert_eq!(problems, []);
        let said = summary(&running);
        let commands: Vec<&str> = said
            .iter()
            .filter_map(|text| text.split("Command: ").nth(1)?.split(", Reason").next())
            .collect();
        assert_eq!(
            commands,
            [
                "crypto isakmp policy 20 encr des",
                "crypto isakmp policy 20 group 1",
                "crypto isakmp key * address 192.0.2.1 255.255.255.255 (and 1 more)",
                "crypto ipsec transform-set T esp-null esp-sha-hmac",
            ]
        );
        assert!(said.iter().all(|text| !text.contains("short")));
    }
}
