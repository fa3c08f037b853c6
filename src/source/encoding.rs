//! Which encoding a file is in.

use std::io::Read;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{
    Encoding, GB18030, GBK, ISO_2022_JP, ISO_8859_15, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE,
    WINDOWS_1252,
};
use memchr::memmem;

use super::SourceError;
use super::origin::Origin;
use super::unpack::Bytes;

/// How the bytes become text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Charset {
    Utf8,
    /// UTF-32, which the WHATWG standard behind `encoding_rs` leaves out; little-endian or not.
    Utf32 {
        little: bool,
    },
    Other(&'static Encoding),
}

impl Charset {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf32 { little: true } => "UTF-32LE",
            Self::Utf32 { little: false } => "UTF-32BE",
            Self::Other(encoding) => encoding.name(),
        }
    }
}

/// What was found out about the encoding.
#[derive(Debug, Clone)]
pub(super) struct Detected {
    pub(super) charset: Charset,
    /// Length of the byte order mark, 0 without one.
    pub(super) bom: usize,
    /// What the user should be told.
    pub(super) note: Option<String>,
    /// Whether it was guessed from letters, rather than said or proved.
    pub(super) guessed: bool,
    /// Whether the whole file was read to find this.
    pub(super) read_through: bool,
}

/// Finds the encoding: the one given, else the byte order mark, else UTF-8 if the whole file is
/// valid or nearly so, else the likeliest.
pub(super) fn detect(
    origin: &Origin,
    given: Option<&'static Encoding>,
) -> Result<Detected, SourceError> {
    let start = origin.start(4096)?;
    let marked = match start.as_slice() {
        // Before UTF-16, whose mark is the first half of this one.
        [0xFF, 0xFE, 0, 0, ..] => Some((Charset::Utf32 { little: true }, 4)),
        [0, 0, 0xFE, 0xFF, ..] => Some((Charset::Utf32 { little: false }, 4)),
        // Files that were put together by programs have more than one.
        [0xEF, 0xBB, 0xBF, ..] => {
            let marks = start.chunks(3).take_while(|mark| *mark == b"\xEF\xBB\xBF");
            Some((Charset::Utf8, 3 * marks.count()))
        }
        [0xFF, 0xFE, ..] => Some((Charset::Other(UTF_16LE), 2)),
        [0xFE, 0xFF, ..] => Some((Charset::Other(UTF_16BE), 2)),
        _ => None,
    };
    // Some programs write UTF-32 with the mark of UTF-16, or without any.
    let marked = match (marked, utf_32_by_zeros(&start)) {
        (None, Some(charset)) => Some((charset, 0)),
        (Some((Charset::Other(_), bom)), Some(charset)) => Some((charset, bom)),
        (marked, _) => marked,
    };
    let found = |charset, bom, note| Detected {
        charset,
        bom,
        note,
        guessed: false,
        read_through: false,
    };
    let given = given.map(|encoding| match encoding {
        encoding if encoding == UTF_8 => Charset::Utf8,
        encoding => Charset::Other(encoding),
    });
    // A mark proves what the file is; what the mapping says may be meant for its other files.
    if let Some((charset, bom)) = marked
        && (bom > 0 || given.is_none())
    {
        return Ok(found(charset, bom, None));
    }
    if let Some(charset) = given {
        return Ok(found(charset, 0, None));
    }
    // Its text is ASCII between escapes, so that it would pass for UTF-8.
    if [&b"\x1B$B"[..], b"\x1B$@"]
        .iter()
        .any(|escape| memmem::find(&start, escape).is_some())
    {
        let note = guess_note(&origin.name, ISO_2022_JP.name());
        return Ok(found(Charset::Other(ISO_2022_JP), 0, Some(note)));
    }
    if let Some(encoding) = utf_16_without_mark(&start) {
        let note = guess_note(&origin.name, encoding.name());
        return Ok(found(Charset::Other(encoding), 0, Some(note)));
    }
    Ok(match judge_utf8(origin)? {
        Judged::Utf8 => Detected {
            read_through: true,
            ..found(Charset::Utf8, 0, None)
        },
        Judged::NearlyUtf8 => found(
            Charset::Utf8,
            0,
            Some(format!(
                "{} is UTF-8 with some bytes that are not; the cells that hold them are reported.",
                origin.name
            )),
        ),
        Judged::Other { encoding, mixed } => {
            let mut note = guess_note(&origin.name, encoding.name());
            if mixed {
                note.push_str(
                    " Some of its text is UTF-8 all the same; the cells that hold it are reported.",
                );
            }
            Detected {
                guessed: true,
                ..found(Charset::Other(encoding), 0, Some(note))
            }
        }
    })
}

fn guess_note(name: &str, encoding: &str) -> String {
    format!(
        "{name} does not say its encoding and is not UTF-8; it is read as {encoding}. If letters with accents look wrong, name the encoding: `encoding` under [source] of the mapping file (columns: --encoding)."
    )
}

/// Whether a file that begins so is in UTF-16 or UTF-32.
pub(super) fn is_wide(start: &[u8]) -> bool {
    matches!(
        start,
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, 0, 0xFE, 0xFF, ..]
    ) || utf_32_by_zeros(start).is_some()
        || utf_16_without_mark(start).is_some()
}

/// Spreadsheet text in UTF-16 is mostly of the first 256 characters: every other byte is 0.
fn utf_16_without_mark(start: &[u8]) -> Option<&'static Encoding> {
    let pairs = start.chunks_exact(2);
    let all = pairs.len();
    if all < 4 {
        return None;
    }
    let (mut first, mut second) = (0, 0);
    for pair in pairs {
        first += usize::from(pair[0] == 0);
        second += usize::from(pair[1] == 0);
    }
    if second * 10 > all * 6 && first * 20 < all {
        Some(UTF_16LE)
    } else if first * 10 > all * 6 && second * 20 < all {
        Some(UTF_16BE)
    } else if first == 0 && second >= 8 && is_utf_16(start, u16::from_le_bytes) {
        Some(UTF_16LE)
    } else if second == 0 && first >= 8 && is_utf_16(start, u16::from_be_bytes) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Whether these are lines of a table in UTF-16, in a script of which no letter has a byte 0: all
/// units are characters, delimiters and line ends among them, and few are two letters of ASCII.
fn is_utf_16(start: &[u8], unit: fn([u8; 2]) -> u16) -> bool {
    let units = || start.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let has =
        |wanted: &[u8]| units().any(|unit| wanted.iter().any(|byte| unit == u16::from(*byte)));
    let wide = units().filter(|unit| *unit > 0xFF).count();
    let twice = start
        .chunks_exact(2)
        .filter(|pair| pair.iter().all(|byte| (0x20..0x7F).contains(byte)))
        .count();
    has(b"\r\n")
        && has(b",;\t|")
        && twice * 2 < wide
        // The last unit may be half of a pair.
        && char::decode_utf16(units().take(start.len() / 2 - 1)).all(|unit| unit.is_ok())
}

/// In UTF-32 three of four bytes are 0, beside a mark of two bytes.
fn utf_32_by_zeros(start: &[u8]) -> Option<Charset> {
    let skip = usize::from(matches!(start, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..])) * 2;
    let units = start[skip..].chunks_exact(4);
    let all = units.len();
    if all < 4 {
        return None;
    }
    let (mut little, mut big) = (0, 0);
    for unit in units {
        little += usize::from(unit[0] != 0 && unit[2] == 0 && unit[3] == 0 && unit[1] < 8);
        big += usize::from(unit[3] != 0 && unit[0] == 0 && unit[1] == 0 && unit[2] < 8);
    }
    let most = |count: usize| count * 10 > all * 9;
    if most(little) {
        Some(Charset::Utf32 { little: true })
    } else if most(big) {
        Some(Charset::Utf32 { little: false })
    } else {
        None
    }
}

/// So much is looked at from the first byte on that is not UTF-8, in bytes.
const LOOKED_AT: usize = 16 << 20;

enum Judged {
    Utf8,
    NearlyUtf8,
    Other {
        encoding: &'static Encoding,
        /// Some of the text is UTF-8.
        mixed: bool,
    },
}

/// Reads the file through until a byte is met that is not UTF-8. The whole file is looked at
/// because the first accented name may stand in its last row, and rows already read cannot be
/// called back; this runs at the speed of memory.
fn judge_utf8(origin: &Origin) -> Result<Judged, SourceError> {
    let mut reader = origin.bytes(0);
    let mut buffer = vec![0; 256 * 1024];
    let (mut kept, mut multibyte) = (0, 0);
    loop {
        let read = reader
            .read(&mut buffer[kept..])
            .map_err(|cause| origin.read_error(cause))?;
        let chunk = &buffer[..kept + read];
        match std::str::from_utf8(chunk) {
            Ok(_) => {
                multibyte += evidence(chunk);
                kept = 0;
            }
            Err(error) if error.error_len().is_none() && read > 0 => {
                let valid = error.valid_up_to();
                multibyte += evidence(&chunk[..valid]);
                kept = chunk.len() - valid;
                buffer.copy_within(valid..valid + kept, 0);
                continue;
            }
            Err(_) => {
                let length = kept + read;
                return judge_other(origin, reader, buffer, length, multibyte);
            }
        }
        if read == 0 {
            return Ok(Judged::Utf8);
        }
    }
}

/// Goes on where a byte was met that is not UTF-8; `length` bytes of the buffer are read.
fn judge_other(
    origin: &Origin,
    mut reader: Bytes,
    mut buffer: Vec<u8>,
    mut length: usize,
    mut multibyte: usize,
) -> Result<Judged, SourceError> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let (mut errors, mut looked_at) = (0, 0);
    let mut seen = [0_u64; 256];
    while length > 0 && looked_at < LOOKED_AT {
        let chunk = &buffer[..length];
        if !chunk.is_ascii() {
            for part in chunk.utf8_chunks() {
                multibyte += multibyte_characters(part.valid().as_bytes());
                errors += usize::from(!part.invalid().is_empty());
            }
            detector.feed(chunk, false);
        }
        chunk.iter().for_each(|byte| seen[usize::from(*byte)] += 1);
        looked_at += length;
        length = reader
            .read(&mut buffer)
            .map_err(|cause| origin.read_error(cause))?;
    }
    // Text of another encoding hardly ever forms valid sequences by chance.
    if multibyte > 2 * errors {
        return Ok(Judged::NearlyUtf8);
    }
    detector.feed(&[], true);
    let encoding = match detector.guess(None, Utf8Detection::Deny) {
        // The same with fewer characters.
        encoding if encoding == GBK => GB18030,
        encoding if encoding == WINDOWS_1252 => western(&seen),
        encoding => encoding,
    };
    Ok(Judged::Other {
        encoding,
        mixed: multibyte > 0 && encoding.is_single_byte(),
    })
}

/// Which encoding of western Europe it is, by how often each byte is seen; the usual one is
/// windows-1252. Excel for the Mac wrote that of the Mac, and ended lines by CR alone; what has the
/// euro sign where windows-1252 has a sign that nobody uses is ISO-8859-15.
fn western(seen: &[u64; 256]) -> &'static Encoding {
    let count = |bytes: std::ops::RangeInclusive<u8>| -> u64 {
        bytes.map(|byte| seen[usize::from(byte)]).sum()
    };
    let (low, high) = (count(0x80..=0x9F), count(0xA0..=0xFF));
    if seen[0x0D] > 0 && seen[0x0A] == 0 && low > high {
        MACINTOSH
    } else if seen[0xA4] > 0 && low == 0 {
        ISO_8859_15
    } else {
        WINDOWS_1252
    }
}

/// What a whole valid chunk says for UTF-8; counting its characters would say no more.
fn evidence(chunk: &[u8]) -> usize {
    if chunk.is_ascii() { 0 } else { 100 }
}

fn multibyte_characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte >= 0xC0).count()
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::super::decode::Decoded;
    use super::*;

    fn decode(bytes: &[u8], given: Option<&'static Encoding>) -> (Detected, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, bytes).unwrap();
        let origin = Origin::open(&Input::Path(path)).unwrap();
        let detected = detect(&origin, given).unwrap();
        let mut decoded = Decoded::new(&origin, &detected);
        let (mut text, mut buffer) = (Vec::new(), [0; 64]);
        loop {
            match decoded.read(&mut buffer).unwrap() {
                0 => return (detected, text),
                read => text.extend_from_slice(&buffer[..read]),
            }
        }
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| {
                if little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn each_encoding_is_found_and_decoded() {
        let text = "Naam;Ort\nJosé;Zürich\n";
        let utf32: Vec<u8> = "\u{FEFF}"
            .chars()
            .chain(text.chars())
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect();
        let utf32be: Vec<u8> = "\u{FEFF}"
            .chars()
            .chain(text.chars())
            .flat_map(|c| u32::from(c).to_be_bytes())
            .collect();
        let latin = encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
        let with_mark = format!("\u{FEFF}{text}");
        for (bytes, name, bom, noted) in [
            (text.as_bytes().to_vec(), "UTF-8", 0, false),
            (with_mark.as_bytes().to_vec(), "UTF-8", 3, false),
            (utf16(&with_mark, true), "UTF-16LE", 2, false),
            (utf16(&with_mark, false), "UTF-16BE", 2, false),
            (utf16(text, true), "UTF-16LE", 0, true),
            (utf16(text, false), "UTF-16BE", 0, true),
            (utf32, "UTF-32LE", 4, false),
            (utf32be, "UTF-32BE", 4, false),
            (latin, "windows-1252", 0, true),
        ] {
            let (detected, decoded) = decode(&bytes, None);
            assert_eq!(detected.charset.name(), name);
            assert_eq!(detected.bom, bom, "{name}");
            assert_eq!(detected.note.is_some(), noted, "{name}");
            assert_eq!(String::from_utf8(decoded).unwrap(), text, "{name}");
        }
    }

    #[test]
    fn encodings_of_many_countries_are_guessed() {
        let utf16_without_zeros =
            "编号,姓名,地址\n张三,北京市朝阳区,无\n李四,上海市,无\n王五,广州市,无\n";
        for little in [true, false] {
            let (detected, text) = decode(&utf16(utf16_without_zeros, little), None);
            let name = if little { "UTF-16LE" } else { "UTF-16BE" };
            assert_eq!(detected.charset.name(), name);
            assert_eq!(String::from_utf8(text).unwrap(), utf16_without_zeros);
        }
        for (text, encoding) in [
            (
                "番号,名前,住所\n1,山田太郎,東京都千代田区\n2,鈴木花子,大阪府大阪市\n",
                encoding_rs::SHIFT_JIS,
            ),
            (
                "番号,名前,住所\n1,山田太郎,東京都千代田区\n2,鈴木花子,大阪府大阪市\n",
                encoding_rs::EUC_JP,
            ),
            (
                "编号,姓名,地址\n1,张三,北京市朝阳区\n2,李四,上海市浦东新区\n",
                GB18030,
            ),
            (
                "編號,姓名,地址\n1,王小明,臺北市信義區\n2,陳美麗,高雄市\n",
                encoding_rs::BIG5,
            ),
            (
                "번호,이름,주소\n1,김철수,서울특별시\n2,이영희,부산광역시\n",
                encoding_rs::EUC_KR,
            ),
            (
                "Номер,Имя,Город\n1,Иван Петров,Москва\n2,Ольга Сидорова,Казань\n",
                encoding_rs::WINDOWS_1251,
            ),
            (
                "Αριθμός,Όνομα,Πόλη\n1,Γιώργος Παπαδόπουλος,Αθήνα\n",
                encoding_rs::WINDOWS_1253,
            ),
            (
                "id,imię,miasto\n1,Łukasz Żółć,Łódź\n2,Małgorzata Święch,Kraków\n3,Paweł,Gdańsk\n",
                encoding_rs::WINDOWS_1250,
            ),
            (
                "id,navn,by\n1,Søren Ærø,Århus\n2,Jürgen Groß,Köln\n3,José Núñez,Málaga\n",
                encoding_rs::WINDOWS_1252,
            ),
        ] {
            let (bytes, _, unmappable) = encoding.encode(text);
            assert!(!unmappable);
            let (detected, decoded) = decode(&bytes, None);
            assert_eq!(detected.charset.name(), encoding.name());
            assert!(detected.guessed && detected.note.is_some());
            assert_eq!(String::from_utf8(decoded).unwrap(), text);
        }
    }

    #[test]
    fn encodings_of_one_country_are_told_apart() {
        for (text, encoding) in [
            ("Id;Betrag\n1;5 €\n2;Müller\n", ISO_8859_15),
            ("Id;Betrag\n1;5 €\n2;Müller\n", WINDOWS_1252),
            ("Id;Name\r1;Müller\r2;José\r", MACINTOSH),
            ("番号,名前\n1,山田太郎\n", ISO_2022_JP),
        ] {
            let (detected, decoded) = decode(&encoding.encode(text).0, None);
            assert_eq!(detected.charset.name(), encoding.name());
            assert_eq!(String::from_utf8(decoded).unwrap(), text);
            assert!(detected.note.is_some());
        }
    }

    #[test]
    fn an_accent_far_down_decides() {
        let mut bytes = b"name,town\n".repeat(100_000);
        bytes.extend_from_slice(b"Jos\xE9,Z\xFCrich\n");
        assert_eq!(decode(&bytes, None).0.charset.name(), "windows-1252");
    }

    #[test]
    fn a_few_bad_bytes_do_not_change_utf8() {
        let mut bytes = "José,Zürich,Åse,Łódź\n".repeat(10).into_bytes();
        bytes.extend_from_slice(b"x\xFFy\n");
        let (detected, text) = decode(&bytes, None);
        assert_eq!(detected.charset, Charset::Utf8);
        assert!(detected.note.is_some());
        assert_eq!(text, bytes);
    }

    #[test]
    fn a_given_encoding_wins() {
        let (detected, text) = decode(b"\xB3", Some(encoding_rs::WINDOWS_1250));
        assert_eq!(detected.charset.name(), "windows-1250");
        assert_eq!(text, "ł".as_bytes());
        let (detected, _) = decode(b"\xB3", Some(UTF_8));
        assert_eq!(detected.charset, Charset::Utf8);
    }

    #[test]
    fn a_cut_character_at_the_end_is_shown() {
        assert_eq!(
            decode(&[0xFF, 0xFE, 65, 0, 66], None).1,
            "A\u{FFFD}".as_bytes()
        );
        let (_, text) = decode(&[0xFF, 0xFE, 0, 0, 65, 0, 0, 0, 66], None);
        assert_eq!(text, "A\u{FFFD}".as_bytes());
    }
}
