//! Rates as mapping and target files write them: `20/s`, `150/10s`, `100/min`, `2000/day`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// So many requests in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many requests.
    pub count: u32,
    /// In how many seconds; a month is 31 days, so that no month's quota is exceeded.
    pub seconds: u64,
}

impl Rate {
    /// Requests a second.
    pub fn per_second(&self) -> f64 {
        f64::from(self.count) / self.seconds as f64
    }
}

const UNITS: &[(&str, u64)] = &[
    ("s", 1),
    ("sec", 1),
    ("second", 1),
    ("min", 60),
    ("minute", 60),
    ("h", 3_600),
    ("hour", 3_600),
    ("d", 86_400),
    ("day", 86_400),
    ("month", 31 * 86_400),
];

/// Reads a rate.
///
/// # Errors
/// A sentence that says what is wrong and how it is written.
pub fn parse_rate(text: &str) -> Result<Rate, String> {
    let wrong = || {
        format!(
            "`{text}` is not a rate: write it as `20/s`, `150/10s`, `100/min`, `1000/h`, `2000/day` or `50000/month`"
        )
    };
    let (count, period) = text.split_once('/').ok_or_else(wrong)?;
    let count: u32 = count.trim().replace('_', "").parse().map_err(|_| wrong())?;
    let period = period.trim();
    let digits = period
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(period.len());
    let times: u64 = match &period[..digits] {
        "" => 1,
        digits => digits.parse().map_err(|_| wrong())?,
    };
    let unit = period[digits..].trim();
    if unit == "m" {
        return Err("`m` may be a minute or a month: write min or month".to_owned());
    }
    let (_, unit) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(wrong)?;
    let seconds = unit
        .checked_mul(times)
        .filter(|seconds| *seconds <= 400 * 86_400)
        .ok_or_else(wrong)?;
    if count == 0 || seconds == 0 {
        return Err(format!("the rate `{text}` lets nothing through"));
    }
    Ok(Rate { count, seconds })
}

/// Reads a length of time: `5s`, `90 sec`, `10min`, `24h`, `2d`.
///
/// # Errors
/// A sentence that says what is wrong and how it is written.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    // A day is 24 hours here, which jiff leaves open.
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let days = match text[digits.len()..].trim() {
        "d" | "day" | "days" => digits.parse::<u32>().ok(),
        _ => None,
    };
    if let Some(days) = days {
        return Ok(Duration::from_secs(u64::from(days) * 86_400));
    }
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let duration = text.parse::<jiff::SignedDuration>().ok();
    duration
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| {
            format!("`{text}` is not a length of time: write it as `5s`, `10min` or `24h`")
        })
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let units: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
        let units = units.join("|");
        json_schema!({
            "description": "A number of requests, `/`, and the time in which they may be sent.",
            "type": "string",
            "pattern": format!(r"^\s*\+?[0-9_]+\s*/\s*[0-9]*\s*({units})\s*$"),
            "examples": ["20/s", "150/10s", "100/min", "2000/day"],
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = UNITS
            .iter()
            .filter(|(name, _)| matches!(*name, "s" | "min" | "h" | "day" | "month"))
            .rev()
            .find(|(_, seconds)| self.seconds.is_multiple_of(*seconds));
        match named {
            Some((name, seconds)) if *seconds == self.seconds => write!(f, "{}/{name}", self.count),
            Some((name, seconds)) => write!(f, "{}/{}{name}", self.count, self.seconds / seconds),
            None => write!(f, "{}/{}s", self.count, self.seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, seconds) in [
            ("5s", 5),
            ("90 sec", 90),
            ("10min", 600),
            ("24h", 86_400),
            ("2d", 172_800),
            ("0", 0),
        ] {
            assert_eq!(parse_time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "5", "-5s", "soon", "5 apples"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_are_read_and_shown() {
        for (text, count, seconds) in [
            ("20/s", 20, 1),
            ("150/10s", 150, 10),
            ("100/min", 100, 60),
            ("1000/h", 1_000, 3_600),
            ("2000/day", 2_000, 86_400),
            ("50000/month", 50_000, 31 * 86_400),
        ] {
            let rate = parse_rate(text).unwrap();
            assert_eq!(rate, Rate { count, seconds });
            assert_eq!(rate.to_string(), text);
        }
        for wrong in [
            "",
            "20",
            "x/s",
            "20/week",
            "0/s",
            "20/0s",
            "-1/s",
            "1/99999999999999999999s",
        ] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }
}
