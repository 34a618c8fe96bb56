//! The scheduled reload: `reload in`, `reload at`, `reload cancel`, and the warnings before it. Called by sessions.

use std::time::Duration;

use jiff::{Span, ZonedDateTime, civil};
use tokio::time::Instant;

use crate::clock::format::{in_words, moment};
use crate::log::Severity;
use crate::router::change_control::{Scheduled, Watch};
use crate::router::{Router, Shared, Stop};

/// Time left at which all operators are warned, in minutes.
const WARNINGS: [u64; 4] = [60, 30, 5, 1];
/// How far ahead a reload may be: 24 days, in minutes.
const FARTHEST: i64 = 24 * 24 * 60;
/// The reason when none is given.
pub const DEFAULT_REASON: &str = "Reload Command";

/// When and why, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When.
    pub at: ZonedDateTime,
    /// From now until then.
    pub delay: Duration,
    /// Why.
    pub reason: String,
}

impl Plan {
    /// `reload in DELAY [REASON]`
    ///
    /// # Errors
    /// What the operator sees.
    pub fn within(delay: &str, reason: Option<&str>, now: &ZonedDateTime) -> Result<Self, String> {
        let minutes = match delay.split_once(':') {
            None => delay.parse().ok(),
            Some((hours, minutes)) => hours
                .parse::<i64>()
                .ok()
                .zip(minutes.parse::<i64>().ok().filter(|minutes| *minutes < 60))
                .and_then(|(hours, minutes)| hours.checked_mul(60)?.checked_add(minutes)),
        };
        let minutes = minutes.filter(|minutes| (1..=FARTHEST).contains(minutes));
        let Some(minutes) = minutes else {
            return Err(format!(
                "% Invalid delay: 1 to {FARTHEST} minutes, or hours and minutes as hhh:mm\n"
            ));
        };
        let at = now
            .checked_add(Span::new().minutes(minutes))
            .map_err(|error| format!("% Invalid delay: {error}\n"))?;
        Ok(Self {
            at,
            delay: Duration::from_secs(minutes.unsigned_abs() * 60),
            reason: reason.unwrap_or(DEFAULT_REASON).to_owned(),
        })
    }

    /// `reload at TIME [MONTH DAY | DAY MONTH] [REASON]`: the next time that it is that late.
    ///
    /// # Errors
    /// What the operator sees.
    pub fn at(time: &str, rest: Option<&str>, now: &ZonedDateTime) -> Result<Self, String> {
        let wrong = |what: &str| format!("% Invalid {what}\n");
        let (hour, minute) = time
            .split_once(':')
            .and_then(|(hour, minute)| Some((hour.parse().ok()?, minute.parse().ok()?)))
            .ok_or_else(|| wrong("time: it is given as hh:mm"))?;
        let time = civil::Time::new(hour, minute, 0, 0).map_err(|_| wrong("time of day"))?;
        let words: Vec<&str> = rest.unwrap_or_default().split_whitespace().collect();
        let (day, words) = match day(&words) {
            Some(day) => (Some(day), &words[2..]),
            None => (None, &words[..]),
        };
        let zone = now.time_zone().clone();
        let on = |date: civil::Date| {
            let at = date.to_datetime(time).to_zoned_datetime(zone.clone());
            at.map_err(|_| wrong("date"))
        };
        let mut at = match day {
            Some((month, day)) => {
                let this = civil::Date::new(now.year(), month, day).map_err(|_| wrong("date"))?;
                on(this)?
            }
            None => on(now.date())?,
        };
        if at <= *now && day.is_none() {
            at = on(now.date().tomorrow().map_err(|_| wrong("date"))?)?;
        } else if at <= *now {
            let (month, day) = (at.month(), at.day());
            let next = civil::Date::new(now.year() + 1, month, day).map_err(|_| wrong("date"))?;
            at = on(next)?;
        }
        let delay = Duration::try_from(at.timestamp().duration_since(now.timestamp()))
            .map_err(|_| wrong("date"))?;
        if delay.as_secs() > FARTHEST.unsigned_abs() * 60 {
            return Err("% Invalid date: a reload can be scheduled up to 24 days ahead\n".into());
        }
        let reason = match words {
            [] => DEFAULT_REASON.to_owned(),
            words => words.join(" "),
        };
        Ok(Self { at, delay, reason })
    }

    /// What is said before the question whether to go on.
    #[must_use]
    pub fn announce(&self, by: &str) -> String {
        format!(
            "Reload scheduled for {} (in {}) by {by}\nReload reason: {}\n",
            moment(&self.at),
            in_words(self.delay),
            self.reason
        )
    }
}

/// Month and day at the beginning, in either order.
fn day(words: &[&str]) -> Option<(i8, i8)> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let month = |word: &str| {
        let word = word.to_ascii_lowercase();
        let index = MONTHS
            .iter()
            .position(|name| word.len() >= 3 && name.starts_with(&word));
        index.and_then(|index| i8::try_from(index + 1).ok())
    };
    let [first, second, ..] = words else {
        return None;
    };
    match (month(first), second.parse(), first.parse(), month(second)) {
        (Some(month), Ok(day), ..) => Some((month, day)),
        (_, _, Ok(day), Some(month)) => Some((month, day)),
        _ => None,
    }
}

/// Schedules a reload, in the place of one that was scheduled before.
pub fn schedule(router: &Shared, plan: Plan, by: &str) {
    let mut this = router.borrow_mut();
    let now = moment(&this.clock.zoned());
    let text = format!(
        "Reload requested for {} at {now} by {by}. Reload Reason: {}.",
        moment(&plan.at),
        plan.reason
    );
    let due = Instant::now() + plan.delay;
    this.change_control.reload = Some(Scheduled {
        at: plan.at,
        due,
        by: by.to_owned(),
        reason: plan.reason,
        watch: Watch(tokio::task::spawn_local(watch(router.clone(), due))),
    });
    this.notice(Severity::Notifications, "SCHEDULED_RELOAD", text);
}

async fn watch(router: Shared, due: Instant) {
    for minutes in WARNINGS {
        let left = Duration::from_secs(minutes * 60);
        let Some(at) = due.checked_sub(left).filter(|at| *at >= Instant::now()) else {
            continue;
        };
        tokio::time::sleep_until(at).await;
        let text = format!(
            "--- SHUTDOWN in {}:{:02}:00 ---",
            minutes / 60,
            minutes % 60
        );
        router.borrow().tell_banner(&text);
    }
    tokio::time::sleep_until(due).await;
    let mut router = router.borrow_mut();
    router.tell_banner("--- SHUTDOWN NOW ---");
    if let Some(reload) = router.change_control.reload.take() {
        router.reload(&reload.by, &reload.reason);
    }
}

impl Router {
    /// Ends the daemon for a fresh start.
    pub fn reload(&mut self, by: &str, reason: &str) {
        let text = format!("Reload requested by {by}. Reload Reason: {reason}.");
        self.notice(Severity::Notifications, "RELOAD", text);
        self.stop(Stop::Reload);
    }

    /// `reload cancel`: what every operator is to see.
    ///
    /// # Errors
    /// What the operator sees when nothing is scheduled.
    pub fn cancel_reload(&mut self, by: &str) -> Result<[String; 3], String> {
        if self.change_control.reload.take().is_none() {
            return Err("%No reload is scheduled\n".into());
        }
        let text = format!(
            "Scheduled reload cancelled at {} by {by}",
            moment(&self.clock.zoned())
        );
        self.notice(Severity::Notifications, "SCHEDULED_RELOAD_CANCELLED", text);
        Ok(banner("--- SHUTDOWN ABORTED ---"))
    }

    fn tell_banner(&self, text: &str) {
        for line in banner(text) {
            self.sessions.tell_all(&line);
        }
    }
}

fn banner(text: &str) -> [String; 3] {
    ["***".to_owned(), format!("*** {text}"), "***".to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> ZonedDateTime {
        "2026-11-03T14:30:35+00:00[UTC]".parse().unwrap()
    }

    #[test]
    fn delays_are_minutes_or_hours_and_minutes() {
        let delay = |text| Plan::within(text, None, &now()).map(|plan| plan.delay.as_secs() / 60);
        assert_eq!(delay("10"), Ok(10));
        assert_eq!(delay("1:05"), Ok(65));
        assert_eq!(delay("576:00"), Ok(34_560));
        for wrong in [
            "0",
            "34561",
            "576:01",
            "1:60",
            "soon",
            "-1",
            ":",
            "99999999999999999999",
        ] {
            assert!(delay(wrong).is_err(), "{wrong}");
        }
        let plan = Plan::within("10", Some("new keys"), &now()).unwrap();
        assert_eq!(
            plan.announce("ann"),
            "Reload scheduled for 14:40:35 UTC Tue Nov 3 2026 (in 10 minutes) by ann\nReload reason: new keys\n"
        );
    }

    #[test]
    fn a_time_is_the_next_that_comes() {
        let at = |time, rest| {
            let plan = Plan::at(time, rest, &now())?;
            Ok::<_, String>((plan.at.strftime("%m-%d %H:%M").to_string(), plan.reason))
        };
        let is = |text: &str, reason: &str| Ok((text.to_owned(), reason.to_owned()));
        assert_eq!(at("15:00", None), is("11-03 15:00", DEFAULT_REASON));
        assert_eq!(at("14:00", None), is("11-04 14:00", DEFAULT_REASON));
        assert_eq!(
            at("02:00", Some("nov 5 new  keys")),
            is("11-05 02:00", "new keys")
        );
        assert_eq!(
            at("02:00", Some("5 November")),
            is("11-05 02:00", DEFAULT_REASON)
        );
        assert_eq!(
            at("15:00", Some("5 people ask")),
            is("11-03 15:00", "5 people ask")
        );
        for (time, rest) in [
            ("25:00", None),
            ("12", None),
            ("12:00", Some("feb 30")),
            ("12:00", Some("dec 24")),
            ("12:00", Some("nov 1")),
        ] {
            assert!(at(time, rest).is_err(), "{time} {rest:?}");
        }
    }
}
