//! Time, as an argument: maths and disk code never ask the system what time it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::fail::{self, Failure};

/// A moment in UTC with microsecond resolution; written as RFC 3339 with a `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn as_micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// The moment `micros` microseconds after 1970-01-01T00:00:00Z; clamped to the years -9999..=9999.
    pub fn from_micros(micros: i64) -> Timestamp {
        let clamped = jiff::Timestamp::from_microsecond(micros);
        Timestamp(clamped.unwrap_or(if micros < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX }))
    }

    /// Seconds from `earlier` to `self`; negative when `self` is before it.
    pub fn seconds_since(self, earlier: Timestamp) -> f64 {
        (self.as_micros() - earlier.as_micros()) as f64 / 1e6
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl FromStr for Timestamp {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Timestamp, Failure> {
        let parsed = text.parse::<jiff::Timestamp>();
        let time = parsed.map_err(|error| {
            fail::usage(format!("`{text}` is not a time: {error}")).hint("write it like 2026-01-31T09:30:00Z")
        })?;
        Ok(Timestamp::from_micros(time.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where the present comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's own clock.
    System,
    /// Always the same moment: tests and reproductions.
    Fixed(Timestamp),
}

impl Clock {
    /// The present moment.
    pub fn now(self) -> Timestamp {
        match self {
            Clock::System => Timestamp::from_micros(jiff::Timestamp::now().as_microsecond()),
            Clock::Fixed(time) => time,
        }
    }
}
