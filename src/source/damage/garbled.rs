//! Letters that were lost or garbled by a wrong encoding.

/// Whether a letter was replaced by U+FFFD.
pub(super) fn has_lost_letter(text: &str) -> bool {
    text.contains('\u{fffd}')
}

/// Whether a text has UTF-8 that was read as Windows-1252 or Latin-1: `MÃ¼ller`, `â€™`, `ï»¿`.
///
/// A letter of the first byte must be followed by what the second byte shows as; of alphabets that
/// need such a pair for each letter (Greek, Cyrillic) two pairs must stand together, as one may be
/// there by chance.
pub(super) fn is_garbled(text: &str) -> bool {
    let mut letters = text.chars().peekable();
    let mut pairs = 0;
    while let Some(letter) = letters.next() {
        let Some(&next) = letters.peek() else {
            return false;
        };
        let pair = match letter {
            'Â' | 'Ã' => is_second(next),
            // A space behind these is a space.
            'Ä' | 'Å' => is_second(next) && next != '\u{a0}',
            'â' if next == '€' => true,
            'ï' if next == '»' => true,
            'Î' | 'Ï' | 'Ð' | 'Ñ' if is_second(next) && next != '\u{a0}' => {
                letters.next();
                pairs += 1;
                if pairs >= 2 {
                    return true;
                }
                continue;
            }
            _ => false,
        };
        if pair {
            return true;
        }
        pairs = 0;
    }
    false
}

/// Whether a character is what a byte from 0x80 to 0xBF shows as in Windows-1252 or Latin-1
/// (<https://encoding.spec.whatwg.org/index-windows-1252.txt>).
fn is_second(letter: char) -> bool {
    const WINDOWS: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
    ('\u{80}'..='\u{bf}').contains(&letter) || WINDOWS.contains(letter)
}
