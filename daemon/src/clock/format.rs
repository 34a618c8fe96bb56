//! How IOS writes times: ages, lifetimes, uptimes and the clock. Called by all who print one.

use std::time::Duration;

use jiff::ZonedDateTime;

/// Hours, minutes and seconds, as remaining lifetimes are printed: `23:59:58`.
pub fn hms(time: Duration) -> String {
    let seconds = time.as_secs();
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// An age: `00:01:02` below a day, then `1d02h`, `1w2d`, `1y2w`.
pub fn age(time: Duration) -> String {
    let hours = time.as_secs() / 3600;
    let (days, weeks, years) = (hours / 24, hours / (24 * 7), hours / (24 * 365));
    if days == 0 {
        hms(time)
    } else if weeks == 0 {
        format!("{days}d{:02}h", hours % 24)
    } else if years == 0 {
        format!("{weeks}w{}d", days % 7)
    } else {
        format!("{years}y{}w", (days - years * 365) / 7)
    }
}

/// An uptime in words: `1 week, 2 days, 3 hours, 4 minutes`. The minutes are always there, the larger units from the
/// first that is not zero.
pub fn uptime(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    let days = minutes / 60 / 24;
    let years = days / 365;
    let units = [
        (years, "year"),
        (days % 365 / 7, "week"),
        (days % 365 % 7, "day"),
        (minutes / 60 % 24, "hour"),
        (minutes % 60, "minute"),
    ];
    let first = units
        .iter()
        .position(|(count, _)| *count > 0)
        .unwrap_or(units.len() - 1);
    let words: Vec<String> = units[first..]
        .iter()
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    words.join(", ")
}

/// The clock: `18:57:38.347 UTC Mon Oct 19 2015`, with `*` before it while no time source vouches for it.
pub fn clock(now: &ZonedDateTime, synchronised: bool) -> String {
    let mark = if synchronised { "" } else { "*" };
    format!("{mark}{}", now.strftime("%H:%M:%S.%3f %Z %a %b %-d %Y"))
}

/// A moment in the header of a configuration: `19:11:29 UTC Sat Oct 25 2025`.
pub fn moment(at: &ZonedDateTime) -> String {
    at.strftime("%H:%M:%S %Z %a %b %-d %Y").to_string()
}

/// `1 hour and 5 minutes`, `9 minutes and 51 seconds`.
pub fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [
        (seconds / 3600, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let words: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    match words.as_slice() {
        [] => "0 seconds".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn ages_change_their_unit_at_a_day_a_week_and_a_year() {
        let (hour, day) = (3600, 86_400);
        let ages = [
            62,
            day - 1,
            day + 2 * hour,
            7 * day - 1,
            9 * day,
            364 * day,
            (365 + 15) * day,
        ];
        let texts: Vec<String> = ages.iter().map(|count| age(seconds(*count))).collect();
        assert_eq!(
            texts,
            [
                "00:01:02", "23:59:59", "1d02h", "6d23h", "1w2d", "52w0d", "1y2w"
            ]
        );
    }

    #[test]
    fn uptime_starts_at_the_first_unit_that_counts() {
        assert_eq!(uptime(seconds(59)), "0 minutes");
        assert_eq!(uptime(seconds(3600 + 60)), "1 hour, 1 minute");
        assert_eq!(
            uptime(seconds(9 * 86_400 + 3 * 3600 + 240)),
            "1 week, 2 days, 3 hours, 4 minutes"
        );
        assert_eq!(
            uptime(seconds(366 * 86_400)),
            "1 year, 0 weeks, 1 day, 0 hours, 0 minutes"
        );
    }

    #[test]
    fn the_clock_carries_a_star_until_it_is_trusted() {
        let now: ZonedDateTime = "2026-11-03T04:05:06.007+00:00[UTC]".parse().unwrap();
        assert_eq!(clock(&now, false), "*04:05:06.007 UTC Tue Nov 3 2026");
        assert_eq!(clock(&now, true), "04:05:06.007 UTC Tue Nov 3 2026");
        assert_eq!(moment(&now), "04:05:06 UTC Tue Nov 3 2026");
    }
}
