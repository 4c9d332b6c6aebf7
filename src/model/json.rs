//! What JSON text may hold that Rust's values cannot: halves of surrogate pairs, and numbers of more digits than a double.

use std::borrow::Cow;

use serde_json::Number;

const HEX_DIGITS: usize = 4;

/// The text with U+FFFD in the place of each escape that stands for half of a surrogate pair, such as Python writes for a
/// file name that is not UTF-8 (`"caf\udce9"`). `serde_json` refuses these.
///
/// The text is taken as it is otherwise; it need not be valid JSON.
#[must_use]
pub fn replace_lone_surrogates(json: &[u8]) -> Cow<'_, [u8]> {
    let mut replaced: Option<Vec<u8>> = None;
    let mut copied = 0;
    let mut position = 0;
    while let Some(backslash) = json.get(position..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        let escape = position + backslash;
        position = escape + 2;
        let Some(unit) = code_unit(json, escape) else { continue };
        let after = escape + 2 + HEX_DIGITS;
        let is_pair = (0xD800..0xDC00).contains(&unit)
            && code_unit(json, after).is_some_and(|second| (0xDC00..0xE000).contains(&second));
        position = if is_pair { after + 2 + HEX_DIGITS } else { after };
        if !is_pair && (0xD800..0xE000).contains(&unit) {
            let replaced = replaced.get_or_insert_default();
            replaced.extend_from_slice(json.get(copied..escape).unwrap_or_default());
            replaced.extend_from_slice(br"\ufffd");
            copied = after;
        }
    }
    match replaced {
        None => Cow::Borrowed(json),
        Some(mut replaced) => {
            replaced.extend_from_slice(json.get(copied..).unwrap_or_default());
            Cow::Owned(replaced)
        }
    }
}

/// The code unit of the escape `\uXXXX` at a position.
fn code_unit(json: &[u8], position: usize) -> Option<u16> {
    let digits = json.get(position..position + 2 + HEX_DIGITS)?.strip_prefix(br"\u")?;
    let digits = str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

/// Where in the text, counted in bytes from 0, the first number begins that would lose digits: one of more than 17 significant
/// digits, as many as tell one double from another, that is neither an integer of 64 bits nor exactly a double. `None` if there
/// is none, as always in a program that turns on `serde_json`'s feature `arbitrary_precision`.
///
/// The text is taken as it is; it need not be valid JSON.
#[must_use]
pub fn find_inexact_number(json: &[u8]) -> Option<usize> {
    let mut position = 0;
    let mut in_string = false;
    while let Some(byte) = json.get(position) {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => position += 1,
            b'-' | b'0'..=b'9' if !in_string => {
                let number = json.get(position..).unwrap_or_default();
                let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let length = number.iter().position(|byte| !is_part(byte)).unwrap_or(number.len());
                let number = number.get(..length).and_then(|number| str::from_utf8(number).ok()).unwrap_or_default();
                if !is_exact(number) {
                    return Some(position);
                }
                position += length;
                continue;
            }
            _ => {}
        }
        position += 1;
    }
    None
}

/// How many significant digits tell any double from all others. Programs that write doubles write no more.
const DIGITS_OF_A_DOUBLE: usize = 17;

fn is_exact(number: &str) -> bool {
    let written = Decimal::of(number);
    written.digits.len() <= DIGITS_OF_A_DOUBLE
        // Whoever reads the text reports what is not a number.
        || number.parse::<Number>().map_or(true, |read| written == Decimal::of(&read.to_string()))
}

/// A number in one spelling: `±0.digits × 10^exponent`, with no zero at either end of the digits.
#[derive(PartialEq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(number: &str) -> Self {
        let (is_negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [integer, fraction].concat();
        let digits = all.trim_start_matches('0');
        let leading = all.len() - digits.len();
        let exponent = exponent.parse::<i64>().unwrap_or(i64::MAX);
        let exponent = exponent.saturating_add(integer.len() as i64).saturating_sub(leading as i64);
        let digits = digits.trim_end_matches('0').to_owned();
        // Zero has no exponent.
        Self { is_negative, exponent: if digits.is_empty() { 0 } else { exponent }, digits }
    }
}
