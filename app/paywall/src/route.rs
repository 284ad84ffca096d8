use std::{sync::Arc, time::Duration};

use axum::http::{HeaderName, Method};
use motif_sdk::gateway::wire::{Address, Use};
use serde::Deserialize;

use crate::{
    answer_rule::AnswerRule,
    metered::{Counted, Meter, Metered, Missing},
};

/// Route with a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidRoute {
    /// HTTP method.
    pub method: Method,
    /// Path, with `{name}` for one segment and `{*name}` for all that follow.
    pub path: String,
    /// Work that the route uses.
    pub work: Address,
    /// Use that is licensed.
    pub licensed_use: Use,
    /// Source of the units.
    pub metered: Metered,
    /// Which of the server's answers are paid for.
    pub answers: AnswerRule,
    /// Maximum units of a request; in a stream, the units of each part but the last.
    pub most_units: u32,
    /// Whether the answer is sent in parts that are paid for one by one.
    pub streams: bool,
    /// Maximum size of a request's body.
    pub most_request_bytes: usize,
    /// Maximum size of an answer's body or of a stream's part.
    pub most_answer_bytes: usize,
    /// Time limit of an answer or of a stream's part.
    pub answer_within: Duration,
}

/// Entry of a route in the TOML file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteEntry {
    method: String,
    path: String,
    work: Address,
    #[serde(rename = "use")]
    licensed_use: Use,
    units: UnitsEntry,
    #[serde(default = "one")]
    per: u32,
    #[serde(default)]
    missing: Option<MissingEntry>,
    #[serde(default)]
    answer: AnswerRule,
    #[serde(default = "one")]
    most_units: u32,
    #[serde(default)]
    stream: bool,
    #[serde(default = "mebibyte")]
    most_request_bytes: u32,
    #[serde(default = "sixteen_mebibytes")]
    most_answer_bytes: u32,
    #[serde(default = "two_minutes")]
    answer_seconds: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum UnitsEntry {
    Fixed(u32),
    Header(String),
    Json(String),
    Count(Counted),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum MissingEntry {
    Units(u32),
    Word(MissingWord),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum MissingWord {
    Refuse,
    Held,
}

fn one() -> u32 {
    1
}

fn mebibyte() -> u32 {
    1 << 20
}

fn sixteen_mebibytes() -> u32 {
    16 << 20
}

fn two_minutes() -> u32 {
    120
}

/// Returns a key of what a paywall keeps of a route, for its lifetime.
pub(crate) fn route_key(route: &Arc<PaidRoute>) -> usize {
    Arc::as_ptr(route).addr()
}

impl PaidRoute {
    /// Time to pay after an answer that took its whole time limit.
    const PAY_WITHIN: Duration = Duration::from_secs(60);
    /// Longest time of an answer that is made before its payment is sent: a blockhash is valid for
    /// little longer.
    pub(crate) const MAX_BEFORE_PAYMENT: Duration = Duration::from_secs(40);
    /// Below the maximum hold of one hour by the time to pay and clock differences.
    const MAX_ANSWER_SECONDS: u32 = 3_400;

    /// Returns the minimum duration of a hold, in seconds.
    pub fn hold_seconds(&self) -> u32 {
        let min = self.answer_within + Self::PAY_WITHIN;
        u32::try_from(min.as_secs()).unwrap_or(u32::MAX)
    }

    /// Returns the units of an answer if they are known in advance, so that it can be sold without a
    /// channel.
    pub fn fixed_sale_units(&self) -> Option<u32> {
        self.metered.fixed().filter(|_| !self.streams)
    }

    /// Returns whether a payment without a channel settles before the answer is made.
    pub(crate) fn is_upfront(&self) -> bool {
        self.answer_within > Self::MAX_BEFORE_PAYMENT
    }

    /// Returns the counted item of a stream and its number per part.
    pub fn part(&self) -> Option<(Counted, u64)> {
        match self.metered.by {
            Meter::Count(counted) if self.streams => {
                Some((counted, u64::from(self.metered.per) * u64::from(self.most_units)))
            }
            _ => None,
        }
    }
}

impl RouteEntry {
    /// Validates the entry and returns the route, or a message about the fault.
    pub(crate) fn read(self) -> Result<PaidRoute, String> {
        let method: Method = self.method.parse().map_err(|_| "`method` is invalid".to_owned())?;
        if method == Method::HEAD || method == Method::OPTIONS || method == Method::CONNECT {
            return Err(format!("`method` must not be {method}, which has no answer to pay for"));
        }
        let by = match self.units {
            UnitsEntry::Fixed(units) => Meter::Fixed(units),
            UnitsEntry::Header(name) => {
                let name: Result<HeaderName, _> = name.parse();
                Meter::Header(name.map_err(|_| "`units.header` must be a header name".to_owned())?)
            }
            UnitsEntry::Json(pointer) if pointer.starts_with('/') => Meter::Json(pointer),
            UnitsEntry::Json(_) => {
                return Err("`units.json` must be a JSON pointer, such as /usage/tokens".to_owned());
            }
            UnitsEntry::Count(counted) => Meter::Count(counted),
        };
        let missing = match self.missing {
            None | Some(MissingEntry::Word(MissingWord::Refuse)) => Missing::Refuse,
            Some(MissingEntry::Word(MissingWord::Held)) => Missing::Held,
            Some(MissingEntry::Units(units)) => Missing::Units(units),
        };
        let (fixed, least) = match (&by, missing) {
            (Meter::Fixed(units), _) => (true, *units),
            (_, Missing::Units(units)) => (false, units),
            _ => (false, 1),
        };
        let most_units = if fixed { least } else { self.most_units };
        for (holds, what) in [
            (self.per > 0, "`per` must be above zero"),
            (!fixed || self.per == 1, "`per` must be absent if units are fixed"),
            (least > 0, "units must be above zero"),
            (least <= most_units, "`missing` must be at most `most_units`"),
            (
                !self.stream || matches!(by, Meter::Count(_)),
                "a stream must count its units: units = { count = ... }",
            ),
            (self.most_request_bytes > 0, "`most_request_bytes` must be above zero"),
            (self.most_answer_bytes > 0, "`most_answer_bytes` must be above zero"),
            (
                (1..=PaidRoute::MAX_ANSWER_SECONDS).contains(&self.answer_seconds),
                "`answer_seconds` must be 1 to 3400",
            ),
        ] {
            if !holds {
                return Err(what.to_owned());
            }
        }
        if let Some(fault) = self.answer.fault(self.stream) {
            return Err(fault.to_owned());
        }
        Ok(PaidRoute {
            method,
            path: self.path,
            work: self.work,
            licensed_use: self.licensed_use,
            metered: Metered { by, per: self.per, missing },
            answers: self.answer,
            most_units,
            streams: self.stream,
            most_request_bytes: self.most_request_bytes as usize,
            most_answer_bytes: self.most_answer_bytes as usize,
            answer_within: Duration::from_secs(self.answer_seconds.into()),
        })
    }
}
