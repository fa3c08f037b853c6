//! Numbers, spans of time and foreign text as people read them.

/// A number with its thousands apart: `1,234,567`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 row`, `1,000 rows`.
pub(super) fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// Seconds in the words that a person would use: `0.8 s`, `48 s`, `16 min`, `2 h 5 min`, `3 days`.
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "an unknown time".to_owned();
    }
    if seconds < 9.95 {
        let tenths = format!("{seconds:.1}");
        return format!("{} s", tenths.strip_suffix(".0").unwrap_or(&tenths));
    }
    if seconds < 120.0 {
        return format!("{seconds:.0} s");
    }
    let minutes = (seconds / 60.0).round() as u64;
    if minutes < 120 {
        return format!("{minutes} min");
    }
    if minutes < 48 * 60 {
        let (hours, rest) = (minutes / 60, minutes % 60);
        return match rest {
            0 => format!("{hours} h"),
            _ => format!("{hours} h {rest} min"),
        };
    }
    format!("{} days", number((minutes as f64 / 1440.0).round() as u64))
}

/// Foreign text on one line: what steers a terminal or turns the direction of text is shown as a
/// sign of its own, so that a cell cannot rewrite what stands around it.
pub(super) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push('⏎'),
            '\t' | '\r' | '\u{2028}' | '\u{2029}' => shown.push(' '),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.push('\u{fffd}');
            }
            c if c.is_control() => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345, "12,345"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(0, "row", "rows"), "0 rows");
    }

    #[test]
    fn spans_are_as_people_say_them() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.84, "0.8 s"),
            (5.0, "5 s"),
            (48.1, "48 s"),
            (119.0, "119 s"),
            (962.0, "16 min"),
            (7_200.0, "2 h"),
            (7_500.0, "2 h 5 min"),
            (259_200.0, "3 days"),
            (f64::NAN, "an unknown time"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn a_cell_cannot_steer_the_terminal() {
        assert_eq!(
            harmless("a\u{1b}[31mb\nc\u{202e}d\u{9b}"),
            "a\u{fffd}[31mb⏎c\u{fffd}d\u{fffd}"
        );
    }
}
