//! After how many refused rows a run stops.

/// When a run stops by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StopAfter {
    /// Once more rows than this are refused.
    Count(u64),
    /// Once more than this share of the rows is refused, above 0 and up to 1.
    Share(f64),
}

/// Reads `stop_after`: a count, or a share such as `"5%"`.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_stop_after(value: &toml::Value) -> Result<StopAfter, String> {
    let wrong = || {
        "`stop_after` is a number of rows, such as 100, or a share of them, such as \"5%\""
            .to_owned()
    };
    match value {
        toml::Value::Integer(count) => u64::try_from(*count)
            .map(StopAfter::Count)
            .map_err(|_| wrong()),
        toml::Value::String(text) => {
            let Some(percent) = text.trim().strip_suffix('%') else {
                return Err(wrong());
            };
            match percent.trim().parse::<f64>() {
                Ok(percent) if percent > 0.0 && percent <= 100.0 => {
                    Ok(StopAfter::Share(percent / 100.0))
                }
                Ok(_) => Err("a share of the rows is above 0% and at most 100%".to_owned()),
                Err(_) => Err(wrong()),
            }
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_counts_or_shares() {
        let text = |t: &str| toml::Value::String(t.into());
        assert_eq!(
            parse_stop_after(&toml::Value::Integer(0)),
            Ok(StopAfter::Count(0))
        );
        assert_eq!(parse_stop_after(&text("5%")), Ok(StopAfter::Share(0.05)));
        assert_eq!(parse_stop_after(&text("100 %")), Ok(StopAfter::Share(1.0)));
        for wrong in [
            toml::Value::Integer(-1),
            toml::Value::Float(0.5),
            text("5"),
            text("0%"),
            text("101%"),
            text("NaN%"),
            text("%"),
        ] {
            assert!(parse_stop_after(&wrong).is_err(), "{wrong}");
        }
    }
}
