//! The kernel's own word on SAs and policies of a host, independent of what any daemon says.

use anyhow::Result;

use crate::lab::Host;

/// One SA as the kernel has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sa {
    /// Outer source address.
    pub from: String,
    /// Outer destination address.
    pub to: String,
    /// `esp` or `ah`.
    pub protocol: String,
    /// The SPI.
    pub spi: u32,
    /// `tunnel` or `transport`.
    pub mode: String,
    /// Packets that used it.
    pub packets: u64,
    /// Bytes that used it.
    pub bytes: u64,
}

/// All SAs with keys; those the kernel only holds open while it waits for a daemon (SPI 0) are left out.
pub fn sas(host: &Host) -> Result<Vec<Sa>> {
    let text = host.command("ip", &["-s", "xfrm", "state"])?;
    let mut list = Vec::<Sa>::new();
    let mut current = false;
    for line in text.lines() {
        let words = line.split_whitespace().collect::<Vec<_>>();
        if let ["src", from, "dst", to, ..] = words[..]
            && !line.starts_with(' ')
            && !line.starts_with('\t')
        {
            list.push(Sa {
                from: from.to_owned(),
                to: to.to_owned(),
                ..Sa::default()
            });
            continue;
        }
        let Some(sa) = list.last_mut() else { continue };
        match words[..] {
            ["proto", protocol, "spi", spi, ..] => {
                sa.protocol = protocol.to_owned();
                let digits = spi
                    .split('(')
                    .next()
                    .unwrap_or("0")
                    .trim_start_matches("0x");
                sa.spi = u32::from_str_radix(digits, 16).unwrap_or(0);
                sa.mode = words
                    .iter()
                    .skip_while(|word| **word != "mode")
                    .nth(1)
                    .copied()
                    .unwrap_or("")
                    .to_owned();
            }
            ["lifetime", "current:"] => current = true,
            [bytes, packets] if current && bytes.ends_with("(bytes),") => {
                current = false;
                sa.bytes = bytes.trim_end_matches("(bytes),").parse().unwrap_or(0);
                sa.packets = packets.trim_end_matches("(packets)").parse().unwrap_or(0);
            }
            _ => {}
        }
    }
    list.retain(|sa| sa.spi != 0 && (sa.protocol == "esp" || sa.protocol == "ah"));
    Ok(list)
}

/// How many outbound policies demand a transform.
pub fn protecting_policies(host: &Host) -> Result<usize> {
    let text = host.command("ip", &["xfrm", "policy"])?;
    let mut count = 0;
    let mut out = false;
    for line in text.lines() {
        let words = line.split_whitespace().collect::<Vec<_>>();
        match words[..] {
            ["dir", direction, ..] => out = direction == "out",
            ["tmpl", ..] if out => {
                count += 1;
                out = false;
            }
            _ => {}
        }
    }
    Ok(count)
}

/// SAs, policies and error counters, for diagnosis.
pub fn dump(host: &Host) -> String {
    let mut text = String::new();
    for arguments in [
        &["-s", "xfrm", "state"][..],
        &["xfrm", "policy"],
        &["-br", "addr"],
        &["route"],
    ] {
        let (output, _) = host.output("ip", arguments, "").unwrap_or_default();
        text += &format!("# ip {}\n{output}", arguments.join(" "));
    }
    let errors = host
        .run(|| Ok(std::fs::read_to_string("/proc/thread-self/net/xfrm_stat")?))
        .unwrap_or_default();
    let errors = errors
        .lines()
        .filter(|line| !line.trim_end().ends_with("\t0") && !line.ends_with(" 0"))
        .collect::<Vec<_>>();
    text + "# xfrm_stat\n" + &errors.join("\n") + "\n"
}
