//! What a sandbox is told: port, pace, latency, faults.

use std::str::FromStr;
use std::time::Duration;

use crate::target::custom::Definition;

/// How the sandbox behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The port on 127.0.0.1; 0 = any that is free.
    pub port: u16,
    /// Requests per seconds that it lets in, and how many at once (a token bucket that starts
    /// full); those beyond get 429 with `Retry-After`. `None` = no limit.
    pub rate: Option<(u32, f64, u32)>,
    /// How long each answer takes.
    pub latency: Duration,
    /// Which answers are lost or falsified.
    pub faults: Faults,
    /// Seed of everything that is drawn: equal seeds and equal requests give equal answers.
    pub seed: u64,
    /// For how many seconds an OAuth2 token that it issues is good.
    pub token_lifetime: u64,
    /// The account's custom fields, to which records are held; `None`: samples are listed, and
    /// records may hold any.
    pub custom_fields: Option<Vec<Definition>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            rate: None,
            latency: Duration::ZERO,
            faults: Faults::default(),
            seed: 1,
            token_lifetime: 3600,
            custom_fields: None,
        }
    }
}

/// Shares (0 to 1) of the answers to creates and updates that go wrong, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    /// Nothing is stored, and the connection is closed without an answer.
    pub lost_before: f64,
    /// It is stored, and the connection is closed without an answer.
    pub lost_after: f64,
    /// It is stored, and the answer is 500.
    pub error_after: f64,
    /// Nothing is stored, and the answer is 503 with `Retry-After: 1`.
    pub unavailable: f64,
}

/// What happens to one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    LostBefore,
    LostAfter,
    ErrorAfter,
    Unavailable,
}

impl Fault {
    pub(super) fn name(self) -> &'static str {
        match self {
            Fault::LostBefore => "lost-before",
            Fault::LostAfter => "lost-after",
            Fault::ErrorAfter => "500-after",
            Fault::Unavailable => "503",
        }
    }
}

impl Faults {
    /// The fault that a number drawn from 0 to 1 stands for, if any.
    pub(super) fn draw(&self, drawn: f64) -> Option<Fault> {
        let mut upto = 0.0;
        for (share, fault) in [
            (self.lost_before, Fault::LostBefore),
            (self.lost_after, Fault::LostAfter),
            (self.error_after, Fault::ErrorAfter),
            (self.unavailable, Fault::Unavailable),
        ] {
            upto += share;
            if drawn < upto {
                return Some(fault);
            }
        }
        None
    }
}

impl FromStr for Faults {
    type Err = String;

    /// Reads `lost-before=2%,lost-after=0.02,500-after=1%,503=2%`; what is not named is 0.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut faults = Faults::default();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (name, share) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` names no share; write it as `503=2%`"))?;
            let place = match name.trim() {
                "lost-before" => &mut faults.lost_before,
                "lost-after" => &mut faults.lost_after,
                "500-after" => &mut faults.error_after,
                "503" => &mut faults.unavailable,
                other => {
                    return Err(format!(
                        "`{other}` is no fault; there are lost-before, lost-after, 500-after and 503"
                    ));
                }
            };
            let share = share.trim();
            let (number, whole) = match share.strip_suffix('%') {
                Some(number) => (number.trim_end(), 100.0),
                None => (share, 1.0),
            };
            *place = number
                .parse::<f64>()
                .ok()
                .map(|n| n / whole)
                .filter(|n| (0.0..=1.0).contains(n))
                .ok_or_else(|| {
                    format!("`{share}` is no share; write a percentage such as `2%` or a part of 1")
                })?;
        }
        let sum = faults.lost_before + faults.lost_after + faults.error_after + faults.unavailable;
        if sum > 1.0 + 1e-9 {
            return Err("the shares of the faults add up to more than 100%".into());
        }
        Ok(faults)
    }
}

/// Reads a rate such as `100/s`, `150/10s`, `60/min`: how many in how many seconds. This is on purpose
/// not the reading that the uploader paces itself by: the sandbox is to notice its mistakes.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_rate(text: &str) -> Result<(u32, f64), String> {
    let wrong = || {
        format!(
            "`{text}` is no rate; write it as a count per s, 10s, min, h, day or month: `100/s`"
        )
    };
    let (count, period) = text.split_once('/').ok_or_else(wrong)?;
    let count = count.trim().parse::<u32>().ok().filter(|n| *n > 0);
    let period = period.trim();
    let digits = period.len()
        - period
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .len();
    let (times, unit) = period.split_at(digits);
    let times = match times {
        "" => 1,
        times => times
            .parse::<u32>()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(wrong)?,
    };
    let unit = match unit.trim() {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        "day" => 86_400.0,
        "month" => 30.0 * 86_400.0,
        _ => return Err(wrong()),
    };
    Ok((count.ok_or_else(wrong)?, f64::from(times) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_as_written() {
        let faults: Faults = "lost-before=2%, lost-after=0.03,500-after=1 %,503=0"
            .parse()
            .unwrap();
        assert_eq!(
            faults,
            Faults {
                lost_before: 0.02,
                lost_after: 0.03,
                error_after: 0.01,
                unavailable: 0.0
            }
        );
        assert_eq!("".parse(), Ok(Faults::default()));
        for wrong in [
            "503",
            "lost=1%",
            "503=x",
            "503=-1%",
            "503=120%",
            "503=60%,lost-after=50%",
        ] {
            assert!(wrong.parse::<Faults>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_draw_falls_to_its_share() {
        let faults: Faults = "lost-before=10%,lost-after=10%,500-after=10%,503=10%"
            .parse()
            .unwrap();
        for (drawn, fault) in [
            (0.0, Some(Fault::LostBefore)),
            (0.15, Some(Fault::LostAfter)),
            (0.25, Some(Fault::ErrorAfter)),
            (0.35, Some(Fault::Unavailable)),
            (0.45, None),
        ] {
            assert_eq!(faults.draw(drawn), fault, "{drawn}");
        }
        assert_eq!(Faults::default().draw(0.0), None);
    }

    #[test]
    fn rates_are_read_as_written() {
        for (text, rate) in [
            ("100/s", (100, 1.0)),
            ("150/10s", (150, 10.0)),
            ("60 / min", (60, 60.0)),
            ("2000/day", (2000, 86_400.0)),
        ] {
            assert_eq!(parse_rate(text), Ok(rate), "{text}");
        }
        for wrong in ["", "100", "0/s", "x/s", "5/", "5/0s", "5/week", "-1/s"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }
}
