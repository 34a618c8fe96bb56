//! `ping` and `traceroute` alone: they ask for everything, one question after the other. What only ever has its default
//! here is asked too, so that fingers and scripts that know the order arrive where they mean to.

use std::fmt::Display;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{Ping, SourceSpec, Traceroute};

use super::ping::{Sizes, UNRECOGNIZED};
use super::{CommandError, Session};

impl Session {
    /// Everything about a `ping`, and the sizes of its datagrams.
    pub(super) async fn ask_ping(&mut self) -> Result<(Ping, Sizes), CommandError> {
        let target = self.ask_target().await?;
        let repeat = self.number("Repeat count", 5, 1..=2_147_483_647).await?;
        let size = self.number("Datagram size", 100, 36..=18_024).await?;
        let timeout = self.number("Timeout in seconds", 2, 0..=3_600).await?;
        let (mut source, mut df_bit) = (None, false);
        if self.agrees("Extended commands", "n").await? {
            source = self.ask_source("Source address or interface: ").await?;
            self.only("Type of service [0]: ", "0").await?;
            df_bit = self.agrees("Set DF bit in IP header?", "no").await?;
            self.only("Validate reply data? [no]: ", "no").await?;
            self.only("Data pattern [0x0000ABCD]: ", "0x0000ABCD")
                .await?;
            self.only(HEADER_OPTIONS, "none").await?;
        }
        let sizes = if self.agrees("Sweep range of sizes", "n").await? {
            let least = self.number("Sweep min size", 36, 36..=18_024).await?;
            let most = self
                .number("Sweep max size", 18_024, least..=18_024)
                .await?;
            let step = self.number("Sweep interval", 1, 1..=18_024).await?;
            Sizes::sweep(least, most, step)
        } else {
            Sizes::one(size)
        };
        let ping = Ping {
            target,
            source,
            repeat: Some(repeat),
            size: Some(size),
            timeout: Some(timeout),
            df_bit,
        };
        Ok((ping, sizes))
    }

    /// Everything about a `traceroute`.
    pub(super) async fn ask_traceroute(&mut self) -> Result<Traceroute, CommandError> {
        let target = self.ask_target().await?;
        let source = self.ask_source("Source address: ").await?;
        let numeric = self.agrees("Numeric display", "n").await?;
        let timeout = self.number("Timeout in seconds", 3, 0..=3_600).await?;
        let probe = self.number("Probe count", 3, 1..=65_535).await?;
        let first = self.number("Minimum Time to Live", 1, 1..=255).await?;
        let last = self
            .number("Maximum Time to Live", first.max(30), first..=255)
            .await?;
        let port = self.number("Port Number", 33_434, 0..=65_535).await?;
        self.only(HEADER_OPTIONS, "none").await?;
        Ok(Traceroute {
            target,
            numeric,
            source,
            probe: Some(probe),
            timeout: Some(timeout),
            ttl: Some((first, last)),
            port: Some(port),
        })
    }

    async fn ask_target(&mut self) -> Result<String, CommandError> {
        if !"ip".starts_with(&self.answered("Protocol [ip]: ", "ip").await?) {
            return Err("% Unknown protocol\n".into());
        }
        let target = self.answered("Target IP address: ", "").await?;
        if target.is_empty() || self.resolve(&target).await.is_none() {
            return Err(UNRECOGNIZED.into());
        }
        Ok(target)
    }

    async fn ask_source(&mut self, prompt: &str) -> Result<Option<SourceSpec>, CommandError> {
        let text = self.answered(prompt, "").await?;
        match parse_source(&text) {
            None if !text.is_empty() => Err("% Invalid source\n".into()),
            source => Ok(source),
        }
    }

    async fn number<T>(
        &mut self,
        what: &str,
        default: T,
        range: RangeInclusive<T>,
    ) -> Result<T, CommandError>
    where
        T: Copy + Display + FromStr + PartialOrd,
    {
        let prompt = format!("{what} [{default}]: ");
        let answer = self.answered(&prompt, &default.to_string()).await?;
        let number = answer.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            format!("% A decimal number between {low} and {high}.\n").into()
        })
    }

    async fn agrees(&mut self, what: &str, default: &str) -> Result<bool, CommandError> {
        let answer = self
            .answered(&format!("{what} [{default}]: "), default)
            .await?;
        Ok(answer.starts_with(['y', 'Y']))
    }

    /// A question that has one answer here.
    async fn only(&mut self, prompt: &str, default: &str) -> Result<(), CommandError> {
        let answer = self.answered(prompt, default).await?.to_lowercase();
        if default.to_lowercase().starts_with(&answer) {
            return Ok(());
        }
        Err(format!("% Only {default} is possible in this release\n").into())
    }
}

const HEADER_OPTIONS: &str = "Loose, Strict, Record, Timestamp, Verbose[none]: ";

/// An address or an interface; nothing when it is neither.
fn parse_source(text: &str) -> Option<SourceSpec> {
    match text.parse::<Ipv4Addr>() {
        Ok(address) => Some(SourceSpec::Address(address)),
        Err(_) => InterfaceName::parse(text).map(SourceSpec::Interface),
    }
}
